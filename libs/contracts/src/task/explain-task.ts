import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count, instant, label, uuid } from '../schemas.js';
import { routingDecision } from './events.js';
import { taskStatus } from './record.js';
import { TASK_NOT_FOUND } from './refusals.js';

export const explainTask = defineQuery({
  name: 'task.why',
  summary: 'Why the task waits, or why it went to its agent.',
  scope: 'routing:read',
  to: { service: 'router' },
  http: { method: 'GET', path: '/v1/tasks/{taskId}/why' },
  input: z.strictObject({ taskId: uuid }),
  output: z.object({
    /** The task's status. */
    state: taskStatus,
    /** Of a waiting task its waitReason; of an assigned one the decision's reason. */
    reason: z.string().nullable(),
    detail: z.string(),
    /** Of `concurrency_key` and `rate_limited`: what it waits for. */
    limit: z
      .union([
        z.object({ key: label, max: count, running: count }),
        z.object({ key: label, limit: count, periodMs: count, nextAt: instant }),
      ])
      .optional(),
    decision: routingDecision.nullable(),
  }),
  refusals: [TASK_NOT_FOUND],
});
