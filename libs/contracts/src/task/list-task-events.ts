import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count, instant, page, uuid } from '../schemas.js';
import { TASK_NOT_FOUND } from './refusals.js';

export const listTaskEvents = defineQuery({
  name: 'task.events',
  summary: 'Everything that happened to a task, oldest first.',
  scope: 'events:read',
  to: { service: 'episodic-memory' },
  http: { method: 'GET', path: '/v1/tasks/{taskId}/events' },
  input: z.strictObject({ taskId: uuid, minSeq: page.minSeq }),
  output: z.object({
    events: z.array(
      z.object({
        /** Opaque position, for resuming after it. */
        position: z.string(),
        type: z.string(),
        version: count,
        at: instant,
        actor: z.string().nullable(),
        correlation: z.string().nullable(),
        data: z.unknown(),
      }),
    ),
  }),
  refusals: [TASK_NOT_FOUND, NOT_CAUGHT_UP],
});
