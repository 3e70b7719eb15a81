import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, count, instant, json, label, metadata, uuid } from '../schemas.js';
import { checkTimes, taskOptions } from './options.js';
import { priority, taskStatus } from './record.js';
import { CONTRADICTORY_TIMES, IDEMPOTENCY_MISMATCH, UNKNOWN_DEPENDENCY } from './refusals.js';

/** What a task is made of, the same for one task and in batches. */
export const newTask = z.strictObject({
  content: json(limits.CONTENT_BYTES_MAX).refine((value) => value !== undefined, 'is required'),
  taskType: label,
  priority: priority.default('medium'),
  requirements: z.array(label).max(limits.REQUIREMENTS_MAX).default([]),
  dependencies: z.array(uuid).max(limits.DEPENDENCIES_MAX).default([]),
  maxAttempts: z.int().min(1).max(limits.MAX_ATTEMPTS_MAX).default(limits.MAX_ATTEMPTS_DEFAULT),
  autoRoute: z.boolean().default(true),
  /** Not before now + delayMs, or not before runAt; one of the two. */
  delayMs: z.int().min(0).max(limits.DELAY_MS_MAX).optional(),
  runAt: instant.optional(),
  /** An attempt that runs longer counts as failed. */
  startToCloseMs: z.int().min(1).max(limits.START_TO_CLOSE_MS_MAX).optional(),
  estimatedDurationMs: count.optional(),
  batchId: clientId.optional(),
  metadata: metadata.optional(),
  excludeAgents: z.array(clientId).max(limits.EXCLUDED_AGENTS_MAX).optional(),
  ...taskOptions.shape,
});
export type NewTask = z.output<typeof newTask>;

export const createTask = defineCommand({
  name: 'task.create',
  summary: 'Accept a task; the router gives it to the best capable agent.',
  scope: 'tasks:write',
  to: { partition: 'task', creates: true },
  http: { method: 'POST', path: '/v1/tasks', status: 201 },
  input: newTask.extend({ idempotencyKey: clientId.optional() }).check(checkTimes),
  output: z.object({
    taskId: uuid,
    status: taskStatus,
    created: z.boolean(),
    seq: count,
  }),
  refusals: [UNKNOWN_DEPENDENCY, IDEMPOTENCY_MISMATCH, CONTRADICTORY_TIMES],
});
