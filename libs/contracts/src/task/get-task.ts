import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { uuid } from '../schemas.js';
import { taskRecord, waitTime } from './record.js';
import { TASK_NOT_FOUND } from './refusals.js';

export const getTask = defineQuery({
  name: 'task.get',
  summary: 'One task; with `wait`, answers when it is finished or the wait is over.',
  scope: 'tasks:read',
  to: { partition: 'task' },
  http: { method: 'GET', path: '/v1/tasks/{taskId}' },
  input: z.strictObject({ taskId: uuid, wait: waitTime.optional() }),
  output: taskRecord,
  refusals: [TASK_NOT_FOUND],
});
