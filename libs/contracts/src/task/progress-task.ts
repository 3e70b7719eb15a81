import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { uuid } from '../schemas.js';
import { cancelledTasks, lease, progressReport, taskStatus } from './record.js';
import { ILLEGAL_TRANSITION, STALE_LEASE, TASK_CANCELLED, TASK_NOT_FOUND } from './refusals.js';

export const progressTask = defineCommand({
  name: 'task.progress',
  summary: 'The holder tells how far it is.',
  scope: 'tasks:write',
  agentsToo: true,
  agentVerb: 'progress',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/progress' },
  input: progressReport.extend({ taskId: uuid, lease: lease.optional() }).strict(),
  output: z.object({ taskId: uuid, status: taskStatus, cancelled: cancelledTasks }),
  refusals: [TASK_NOT_FOUND, STALE_LEASE, TASK_CANCELLED, ILLEGAL_TRANSITION],
  idempotent: true,
});
