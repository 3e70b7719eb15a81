import { PAYLOAD_TOO_LARGE, defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, count, uuid } from '../schemas.js';
import { newTask } from './create-task.js';
import { idempotency } from './events.js';
import { checkTimes } from './options.js';
import {
  CONTRADICTORY_TIMES,
  DEPENDENCY_CYCLE,
  DEPENDENCY_REFUSED,
  IDEMPOTENCY_MISMATCH,
  KEY_ELSEWHERE,
  UNKNOWN_DEPENDENCY,
} from './refusals.js';

const dependency = z.union([uuid, z.strictObject({ ref: clientId })]);
const item = newTask
  .extend({
    /** A name for this task inside the batch, for `dependencies: [{ ref }]`. */
    ref: clientId.optional(),
    dependencies: z.array(dependency).max(limits.DEPENDENCIES_MAX).default([]),
  })
  .check(checkTimes);

const itemResult = z.union([
  z.object({ taskId: uuid }),
  z.object({ refusal: z.object({ code: z.string(), detail: z.string() }) }),
]);
export type BatchItemResult = z.output<typeof itemResult>;

export const createTasks = defineCommand({
  name: 'task.createBatch',
  summary: 'Accept many tasks at once; dependencies may name refs of the same batch.',
  scope: 'tasks:write',
  to: { service: 'task-queue' },
  http: {
    method: 'POST',
    path: '/v1/tasks/batch',
    status: 201,
    bodyBytesMax: limits.BATCH_BYTES_MAX,
  },
  input: z.strictObject({
    tasks: z.array(item).min(1).max(limits.BATCH_TASKS_MAX),
    idempotencyKey: clientId.optional(),
  }),
  output: z.object({
    taskIds: z.array(uuid.nullable()),
    results: z.array(itemResult),
    seq: count,
  }),
  refusals: [
    UNKNOWN_DEPENDENCY,
    DEPENDENCY_CYCLE,
    DEPENDENCY_REFUSED,
    IDEMPOTENCY_MISMATCH,
    CONTRADICTORY_TIMES,
    PAYLOAD_TOO_LARGE,
  ],
});

/** One atomic chunk of a batch, its refs already replaced by the proposed ids. */
export const createTaskChunk = defineCommand({
  name: 'task.createChunk',
  summary: 'Accept one atomic chunk of a batch (internal).',
  to: { partition: 'task' },
  input: z.object({
    partition: count,
    items: z
      .array(
        z.object({
          taskId: uuid,
          task: newTask,
          /** Of a keyed batch: the batch's key and the item's index, and the item's fingerprint. */
          idempotency: idempotency.optional(),
        }),
      )
      .max(limits.BATCH_CHUNK_TASKS),
  }),
  output: z.object({ results: z.array(itemResult) }),
  refusals: [KEY_ELSEWHERE],
});
