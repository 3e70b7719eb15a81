import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { uuid } from '../schemas.js';
import { lease, taskError, taskStatus } from './record.js';
import { ILLEGAL_TRANSITION, STALE_LEASE, TASK_CANCELLED, TASK_NOT_FOUND } from './refusals.js';

export const failTask = defineCommand({
  name: 'task.fail',
  summary: 'The holder gives up; the task runs again or is finished as failed.',
  scope: 'tasks:write',
  agentsToo: true,
  agentVerb: 'fail',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/fail' },
  input: z.strictObject({
    taskId: uuid,
    lease: lease.optional(),
    error: z.union([
      taskError,
      z
        .string()
        .max(limits.ERROR_BYTES_MAX)
        .transform((message) => ({ message })),
    ]),
    shouldRetry: z.boolean().default(true),
  }),
  output: z.object({ taskId: uuid, status: taskStatus }),
  refusals: [TASK_NOT_FOUND, STALE_LEASE, TASK_CANCELLED, ILLEGAL_TRANSITION],
  idempotent: true,
});
