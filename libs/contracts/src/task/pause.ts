import { defineCommand, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { instant, label } from '../schemas.js';
import { TOO_MANY_PAUSES } from './refusals.js';

const pause = z.object({ by: z.string(), since: instant });

/** What of the project's queue is paused. */
const queuePauses = z.object({
  /** The project as a whole; null: it is not. */
  project: pause.nullable(),
  taskTypes: z.array(pause.extend({ taskType: label })),
});
export type QueuePauses = z.output<typeof queuePauses>;

/** Without a type: the whole project. */
const input = z.strictObject({ taskType: label.optional() });

export const pauseQueue = defineCommand({
  name: 'queue.pause',
  summary: 'Assign no more tasks of the project, or of one type; what runs goes on.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/queue/pause' },
  input,
  output: queuePauses,
  refusals: [TOO_MANY_PAUSES],
  idempotent: true,
});

export const resumeQueue = defineCommand({
  name: 'queue.resume',
  summary: 'End a pause; the project and each type have pauses of their own.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/queue/resume' },
  input,
  output: queuePauses,
  refusals: [],
  idempotent: true,
});

export const pausedQueue = defineQuery({
  name: 'queue.paused',
  summary: 'What of the queue is paused, since when and by whom.',
  scope: 'tasks:read',
  to: { partition: 'task' },
  http: { method: 'GET', path: '/v1/queue/paused' },
  input: z.strictObject({}),
  output: queuePauses,
  refusals: [],
});
