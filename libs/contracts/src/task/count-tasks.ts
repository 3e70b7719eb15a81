import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count, page } from '../schemas.js';
import { taskFilter } from './query-tasks.js';

export const countTasks = defineQuery({
  name: 'task.count',
  summary: 'How many tasks a search would find.',
  scope: 'tasks:read',
  to: { service: 'task-queue' },
  http: { method: 'GET', path: '/v1/tasks/count' },
  input: z.strictObject({ ...taskFilter, minSeq: page.minSeq }),
  output: z.object({
    count,
    /** False: there are at least so many. By status, type and priority it always is exact. */
    exact: z.boolean(),
  }),
  refusals: [NOT_CAUGHT_UP],
});
