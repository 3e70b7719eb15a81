import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { json, uuid } from '../schemas.js';
import { lease, taskStatus } from './record.js';
import { ILLEGAL_TRANSITION, STALE_LEASE, TASK_CANCELLED, TASK_NOT_FOUND } from './refusals.js';

export const completeTask = defineCommand({
  name: 'task.complete',
  summary: 'The holder hands in the result; the task is finished.',
  scope: 'tasks:write',
  agentsToo: true,
  agentVerb: 'complete',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/complete' },
  input: z.strictObject({
    taskId: uuid,
    lease: lease.optional(),
    result: json(limits.RESULT_BYTES_MAX).optional(),
    metrics: z
      .looseObject({ durationMs: z.number().min(0).optional() })
      .and(json(limits.METADATA_BYTES_MAX) as z.ZodType<Record<string, unknown>>)
      .optional(),
  }),
  output: z.object({ taskId: uuid, status: taskStatus }),
  refusals: [TASK_NOT_FOUND, STALE_LEASE, TASK_CANCELLED, ILLEGAL_TRANSITION],
  idempotent: true,
});
