import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { text, uuid } from '../schemas.js';
import { taskStatus } from './record.js';
import { ILLEGAL_TRANSITION, TASK_NOT_FOUND } from './refusals.js';

export const cancelTask = defineCommand({
  name: 'task.cancel',
  summary: 'Call a task off; a running agent is told with its claim, or at its next report.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/cancel' },
  input: z.strictObject({ taskId: uuid, reason: text.optional() }),
  output: z.object({ taskId: uuid, status: taskStatus }),
  refusals: [TASK_NOT_FOUND, ILLEGAL_TRANSITION],
  idempotent: true,
  destructive: true,
});
