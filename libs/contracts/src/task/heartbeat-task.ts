import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { uuid } from '../schemas.js';
import { cancelledTasks, lease, taskStatus } from './record.js';
import { ILLEGAL_TRANSITION, STALE_LEASE, TASK_CANCELLED, TASK_NOT_FOUND } from './refusals.js';

export const heartbeatTask = defineCommand({
  name: 'task.heartbeat',
  summary: 'The holder is alive; counts as contact of the agent. Never enters the log.',
  scope: 'tasks:write',
  agentsToo: true,
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/heartbeat' },
  input: z.strictObject({ taskId: uuid, lease: lease.optional() }),
  output: z.object({ taskId: uuid, status: taskStatus, cancelled: cancelledTasks }),
  refusals: [TASK_NOT_FOUND, STALE_LEASE, TASK_CANCELLED, ILLEGAL_TRANSITION],
  idempotent: true,
});
