import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { uuid } from '../schemas.js';
import { taskStatus } from './record.js';
import { ILLEGAL_TRANSITION, TASK_NOT_FOUND } from './refusals.js';

export const redriveTask = defineCommand({
  name: 'task.redrive',
  summary: 'Run a failed or cancelled task again, with as many further attempts as it had.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/redrive' },
  input: z.strictObject({ taskId: uuid }),
  output: z.object({ taskId: uuid, status: taskStatus }),
  refusals: [TASK_NOT_FOUND, ILLEGAL_TRANSITION],
  idempotent: true,
});
