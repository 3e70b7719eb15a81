import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { clientId, instant, label, page } from '../schemas.js';
import { priority, taskRecord, taskStatus } from './record.js';

/** Which tasks; of all that are given each has to hold. */
export const taskFilter = {
  status: taskStatus.optional(),
  agentId: clientId.optional(),
  taskType: label.optional(),
  priority: priority.optional(),
  batchId: clientId.optional(),
  /** Whether the task failed for good and is kept as a dead letter. */
  deadLettered: z.boolean().optional(),
  createdAfter: instant.optional(),
  createdBefore: instant.optional(),
};

export const queryTasks = defineQuery({
  name: 'task.query',
  summary: 'Tasks by filter, newest first, page by page.',
  scope: 'tasks:read',
  to: { service: 'task-queue' },
  http: { method: 'GET', path: '/v1/tasks' },
  input: z.strictObject({ ...taskFilter, ...page }),
  output: z.object({ tasks: z.array(taskRecord), nextCursor: z.string().nullable() }),
  refusals: [NOT_CAUGHT_UP],
});
