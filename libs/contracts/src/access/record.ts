import { z } from 'zod';
import { clientId, instant, text } from '../schemas.js';

/** Everything that a key may be allowed; see Scope in @athena/operation. */
export const scope = z.enum([
  'tasks:read',
  'tasks:write',
  'agents:read',
  'agents:write',
  'routing:read',
  'routing:write',
  'events:read',
  'admin',
  'agent',
]);

/** A project is one token of a NATS subject. */
export const projectId = clientId;

export const keyRecord = z.object({
  keyId: clientId,
  name: text,
  project: projectId,
  scopes: z.array(scope),
  createdAt: instant,
  expiresAt: instant.nullable(),
  revokedAt: instant.nullable(),
});
export type KeyRecord = z.output<typeof keyRecord>;
