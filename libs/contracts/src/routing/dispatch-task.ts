import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { clientId, count, uuid } from '../schemas.js';
import { createTask } from '../task/create-task.js';
import { taskStatus } from '../task/record.js';
import { CONTRADICTORY_TIMES, IDEMPOTENCY_MISMATCH, UNKNOWN_DEPENDENCY } from '../task/refusals.js';

export const dispatchTask = defineCommand({
  name: 'task.dispatch',
  summary: 'Create, route and assign in one call.',
  scope: 'tasks:write',
  to: { service: 'router' },
  http: { method: 'POST', path: '/v1/dispatch', status: 201 },
  input: z.strictObject({ task: createTask.input }),
  output: z.object({
    taskId: uuid,
    status: taskStatus,
    assignedTo: clientId.nullable(),
    reason: z.string(),
    seq: count,
  }),
  refusals: [UNKNOWN_DEPENDENCY, IDEMPOTENCY_MISMATCH, CONTRADICTORY_TIMES],
});
