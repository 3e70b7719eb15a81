import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, count, instant, json, label, metadata, uuid } from '../schemas.js';
import { taskOptions } from './options.js';

export const priority = z.enum(['low', 'medium', 'high']);
export type Priority = z.output<typeof priority>;

export const taskStatus = z.enum([
  'pending',
  'assigned',
  'running',
  'completed',
  'failed',
  'blocked',
  'cancelled',
]);
export type TaskStatus = z.output<typeof taskStatus>;
export const isFinished = (status: TaskStatus): boolean =>
  status === 'completed' || status === 'failed' || status === 'cancelled';

/** Why a pending task is not with an agent (product T12); the router knows the later ones. */
export const waitReason = z.enum([
  'dependencies',
  'scheduled',
  'backoff',
  'paused',
  'manual',
  'no_capable_agent',
  'agents_full',
  'excluded',
  'rate_limited',
  'concurrency_key',
  'budget',
  'absent',
  'routing',
]);
export type WaitReason = z.output<typeof waitReason>;

/** An attempt's error as agents report it. */
export const taskError = z.object({
  message: z.string().max(limits.ERROR_BYTES_MAX),
  code: z.string().max(limits.NAME_LENGTH_MAX).optional(),
  stack: z.string().max(limits.ERROR_BYTES_MAX).optional(),
});
export type TaskError = z.output<typeof taskError>;

export const progressReport = z.object({
  percent: z.number().min(0).max(100).optional(),
  message: z.string().max(limits.TEXT_LENGTH_MAX).optional(),
  /** What there is of the result so far, or any other JSON. */
  output: json(limits.PROGRESS_OUTPUT_BYTES_MAX).optional(),
});
export type ProgressReport = z.output<typeof progressReport>;

/** Lines that whoever watches the task reads; the record does not keep them. */
export const progressLog = z
  .array(z.string().max(limits.PROGRESS_LOG_LINE_LENGTH_MAX))
  .max(limits.PROGRESS_LOG_LINES_MAX);

/** Which run of which schedule a task is. */
export const plannedRun = z.object({
  scheduleId: clientId,
  /** Null: asked for by hand. */
  plannedAt: instant.nullable(),
});
export type PlannedRun = z.output<typeof plannedRun>;

/** The task as every surface shows it. Instants are ISO 8601. */
export const taskRecord = z.object({
  taskId: uuid,
  content: z.unknown(),
  taskType: label,
  status: taskStatus,
  priority,
  requirements: z.array(label),
  dependencies: z.array(uuid),
  assignedTo: clientId.nullable(),
  createdAt: instant,
  assignedAt: instant.nullable(),
  startedAt: instant.nullable(),
  completedAt: instant.nullable(),
  result: z.unknown().nullable(),
  error: taskError.nullable(),
  success: z.boolean().nullable(),
  attempt: count,
  maxAttempts: count,
  retryCount: count,
  /** Number of the last attempt before the task was redriven; null: it never was. */
  redrivenAfter: count.nullable(),
  executionDurationMs: z.number().nullable(),
  estimatedDurationMs: z.number().nullable(),
  runAt: instant.nullable(),
  startToCloseMs: z.number().nullable(),
  excludeAgents: z.array(clientId),
  batchId: clientId.nullable(),
  metadata: metadata.nullable(),
  /**
   * Inside pending: dependencies, scheduled, backoff, manual; blocked: the cause; failed though it
   * might have been tried again: max_attempts, retry_until, schedule_to_start, deadline. Else null.
   */
  reason: z.string().nullable(),
  deadLettered: z.boolean(),
  progress: progressReport.nullable(),
  autoRoute: z.boolean(),
  /** What the task said of retries, times, dependencies and limits; null: nothing. */
  options: taskOptions.nullable(),
  /** Null: no schedule created it. */
  schedule: plannedRun.nullable(),
});
export type TaskRecord = z.output<typeof taskRecord>;

/**
 * Tasks that were called off under the hands of whoever is answered: to be stopped. They are named
 * again and again for CANCELLED_TOLD_MS, as answers can get lost.
 */
export const cancelledTasks = z.array(uuid);

/** Opaque proof of holding an attempt: the place of its assignment in the log. */
export const lease = z.string().min(1).max(64);

const WAIT_FORM = 'use a number of milliseconds, or 500ms, 30s';
const WAIT_UNITS = { ms: 1, s: 1_000, m: 60_000 } as const;

/** `30s`, `500ms` or milliseconds; at most GET_WAIT_MS_MAX. */
export const waitTime = z
  .union([
    z.number({ error: WAIT_FORM }),
    z
      .string()
      .regex(/^\d{1,6}(ms|s|m)?$/, WAIT_FORM)
      .transform((value) => {
        const unit = (/[a-z]+$/.exec(value)?.[0] ?? 'ms') as keyof typeof WAIT_UNITS;
        return Number.parseInt(value, 10) * WAIT_UNITS[unit];
      }),
  ])
  .pipe(z.int().min(0).max(limits.GET_WAIT_MS_MAX));
