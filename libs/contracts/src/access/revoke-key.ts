import { FORBIDDEN, defineCommand } from '@athena/operation';
import { z } from 'zod';
import { KEY_NOT_FOUND } from './refusals.js';
import { clientId } from '../schemas.js';

export const revokeKey = defineCommand({
  name: 'key.revoke',
  summary: 'End a key: refused from now on; what it has open over NATS ends within minutes.',
  scope: 'admin',
  to: { service: 'gateway' },
  http: { method: 'DELETE', path: '/v1/keys/{keyId}' },
  input: z.strictObject({ keyId: clientId }),
  output: z.object({ keyId: clientId, revoked: z.boolean() }),
  refusals: [FORBIDDEN, KEY_NOT_FOUND],
  idempotent: true,
  destructive: true,
});
