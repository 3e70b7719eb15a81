import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { uuid } from '../schemas.js';
import { priority, taskStatus } from './record.js';
import { ILLEGAL_TRANSITION, TASK_NOT_FOUND } from './refusals.js';

export const reprioritiseTask = defineCommand({
  name: 'task.reprioritise',
  summary: 'Change the priority of a task that is not finished; its age in the queue stays.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/priority' },
  input: z.strictObject({ taskId: uuid, priority }),
  output: z.object({ taskId: uuid, status: taskStatus, priority }),
  refusals: [TASK_NOT_FOUND, ILLEGAL_TRANSITION],
  idempotent: true,
});
