import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { uuid } from '../schemas.js';
import { cancelledTasks, lease, taskStatus } from './record.js';
import { ILLEGAL_TRANSITION, STALE_LEASE, TASK_CANCELLED, TASK_NOT_FOUND } from './refusals.js';

export const startTask = defineCommand({
  name: 'task.start',
  summary: 'The holder begins to work.',
  scope: 'tasks:write',
  agentsToo: true,
  agentVerb: 'start',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/start' },
  input: z.strictObject({ taskId: uuid, lease: lease.optional() }),
  output: z.object({ taskId: uuid, status: taskStatus, cancelled: cancelledTasks }),
  refusals: [TASK_NOT_FOUND, STALE_LEASE, TASK_CANCELLED, ILLEGAL_TRANSITION],
  idempotent: true,
});
