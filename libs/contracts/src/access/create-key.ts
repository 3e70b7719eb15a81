import { FORBIDDEN, defineCommand } from '@athena/operation';
import { z } from 'zod';
import { keyRecord, projectId, scope } from './record.js';
import { PROJECT_NOT_FOUND, TOO_MANY_KEYS } from './refusals.js';
import { instant, text } from '../schemas.js';

export const createKey = defineCommand({
  name: 'key.create',
  summary: 'Make an API key. The secret is shown once, here.',
  scope: 'admin',
  to: { service: 'gateway' },
  http: { method: 'POST', path: '/v1/keys', status: 201 },
  input: z.strictObject({
    name: text.min(1),
    scopes: z.array(scope).min(1).max(20),
    /** Default: the project of the calling key. */
    project: projectId.optional(),
    expiresAt: instant.optional(),
  }),
  output: keyRecord.extend({ apiKey: z.string() }),
  refusals: [FORBIDDEN, PROJECT_NOT_FOUND, TOO_MANY_KEYS],
});
