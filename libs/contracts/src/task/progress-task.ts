import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { uuid } from '../schemas.js';
import { cancelledTasks, lease, progressLog, progressReport, taskStatus } from './record.js';
import {
  ILLEGAL_TRANSITION,
  PROGRESS_TOO_MUCH,
  PROGRESS_TOO_OFTEN,
  STALE_LEASE,
  TASK_CANCELLED,
  TASK_NOT_FOUND,
} from './refusals.js';

export const progressTask = defineCommand({
  name: 'task.progress',
  summary:
    'The holder tells how far it is, what it has so far and what it does; counts as contact.',
  scope: 'tasks:write',
  agentsToo: true,
  agentVerb: 'progress',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/progress' },
  /** What a report leaves out stays as it was last reported. */
  input: progressReport
    .extend({ taskId: uuid, lease: lease.optional(), log: progressLog.optional() })
    .strict(),
  output: z.object({ taskId: uuid, status: taskStatus, cancelled: cancelledTasks }),
  refusals: [
    TASK_NOT_FOUND,
    STALE_LEASE,
    TASK_CANCELLED,
    ILLEGAL_TRANSITION,
    PROGRESS_TOO_OFTEN,
    PROGRESS_TOO_MUCH,
  ],
  idempotent: true,
});
