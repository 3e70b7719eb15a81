import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { clientId, instant, label, page } from '../schemas.js';
import { priority, taskRecord, taskStatus } from './record.js';

export const queryTasks = defineQuery({
  name: 'task.query',
  summary: 'Tasks by filter, newest first, page by page.',
  scope: 'tasks:read',
  to: { service: 'task-queue' },
  http: { method: 'GET', path: '/v1/tasks' },
  input: z.strictObject({
    status: taskStatus.optional(),
    agentId: clientId.optional(),
    taskType: label.optional(),
    priority: priority.optional(),
    batchId: clientId.optional(),
    createdAfter: instant.optional(),
    createdBefore: instant.optional(),
    ...page,
  }),
  output: z.object({ tasks: z.array(taskRecord), nextCursor: z.string().nullable() }),
  refusals: [NOT_CAUGHT_UP],
});
