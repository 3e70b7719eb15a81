import { NOT_CAUGHT_UP, UNAVAILABLE, defineCommand, defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, count, instant, uuid } from '../schemas.js';
import { taskFilter } from './query-tasks.js';
import { priority } from './record.js';
import { BULK_NOT_FOUND, TOO_MANY_BULKS } from './refusals.js';

/** What is done to each task. */
export const bulkAction = z.enum(['cancel', 'redrive', 'reprioritise']);
export type BulkAction = z.output<typeof bulkAction>;

export const bulkTasks = defineCommand({
  name: 'task.bulk',
  summary: 'Do the same to all tasks of a filter for which it is possible, in the background.',
  scope: 'tasks:write',
  to: { service: 'task-queue' },
  http: { method: 'POST', path: '/v1/tasks/bulk' },
  input: z
    .strictObject({
      action: bulkAction,
      /** As of `task.query`; `{}` is all of them. */
      filter: z.strictObject(taskFilter),
      /** The new one, of `reprioritise`. */
      priority: priority.optional(),
      /** Only tell what would be done. */
      dryRun: z.boolean().default(false),
      /** Of more tasks the oldest. */
      limit: z.int().min(1).max(limits.BULK_TASKS_MAX).default(limits.BULK_TASKS_MAX),
      idempotencyKey: clientId.optional(),
    })
    .refine(({ action, priority }) => (action === 'reprioritise') === (priority !== undefined), {
      path: ['priority'],
      message: 'goes with the action reprioritise, and with no other',
    }),
  output: z.object({
    /** Asks how far it is (`task.bulkStatus`); null: a dry run. */
    bulkId: uuid.nullable(),
    /** Tasks of the filter, up to the limit, for which the action is possible now. */
    matched: count,
    /** Some of them, the oldest first. */
    sample: z.array(uuid),
  }),
  refusals: [TOO_MANY_BULKS, NOT_CAUGHT_UP, UNAVAILABLE],
  destructive: true,
});

export const bulkStatus = defineQuery({
  name: 'task.bulkStatus',
  summary: 'How far a bulk operation is, and what came of it.',
  scope: 'tasks:read',
  to: { service: 'task-queue' },
  http: { method: 'GET', path: '/v1/tasks/bulk/{bulkId}' },
  input: z.strictObject({ bulkId: uuid }),
  output: z.object({
    bulkId: uuid,
    action: bulkAction,
    state: z.enum(['running', 'done', 'failed']),
    matched: count,
    /** `changed` and all that were refused. */
    done: count,
    changed: count,
    /** Refusals of single tasks, by their code. */
    refused: z.record(z.string(), count),
    /** Of a failed one: why it ended before all was done. */
    error: z.string().nullable(),
    by: z.string(),
    startedAt: instant,
    endedAt: instant.nullable(),
  }),
  refusals: [BULK_NOT_FOUND, UNAVAILABLE],
});
export type BulkStatus = z.output<typeof bulkStatus.output>;
