import { defineEvent, type EventOf } from '@athena/operation';
import { z } from 'zod';
import { clientId, instant, text } from '../schemas.js';
import { projectId, scope } from './record.js';

/* Storage format: see the note in task/events.ts. */
const aggregate = 'access';

export const projectCreated = defineEvent({
  type: 'ProjectCreated',
  version: 1,
  aggregate,
  summary: 'A project exists.',
  data: z.object({ project: projectId }),
});

export const keyIssued = defineEvent({
  type: 'KeyIssued',
  version: 1,
  aggregate,
  summary: 'An API key is valid from now on; only the hash of its secret is kept.',
  data: z.object({
    keyId: clientId,
    name: text,
    project: projectId,
    scopes: z.array(scope),
    secretHash: z.string(),
    expiresAt: instant.optional(),
  }),
});

export const keyRevoked = defineEvent({
  type: 'KeyRevoked',
  version: 1,
  aggregate,
  summary: 'The key is refused from now on.',
  data: z.object({ keyId: clientId }),
});

export const accessEvents = [projectCreated, keyIssued, keyRevoked] as const;
export type AccessEvent = EventOf<(typeof accessEvents)[number]>;
