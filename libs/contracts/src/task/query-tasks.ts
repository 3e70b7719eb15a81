import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, instant, label, oneOrMore, page, printable } from '../schemas.js';
import { priority, taskRecord, taskStatus } from './record.js';

/** Which tasks; of all that are given each has to hold. */
export const taskFilter = {
  status: oneOrMore(taskStatus, taskStatus.options.length).optional(),
  agentId: clientId.optional(),
  taskType: label.optional(),
  priority: priority.optional(),
  batchId: clientId.optional(),
  /** Whether the task failed for good and is kept as a dead letter. */
  deadLettered: z.boolean().optional(),
  createdAfter: instant.optional(),
  createdBefore: instant.optional(),
  finishedAfter: instant.optional(),
  finishedBefore: instant.optional(),
  /** Words of the content or the error’s message: all of them; "a phrase", or, -without. */
  text: printable(limits.SEARCH_TEXT_LENGTH_MAX).min(1).optional(),
  /** `key=value`: the task’s metadata has this value (a text, number, true, false or null). */
  metadata: z
    .array(
      printable(limits.METADATA_FILTER_LENGTH_MAX).regex(
        /^[^=]{1,128}=/,
        'use key=value, with a key of 1–128 characters',
      ),
    )
    .min(1)
    .max(limits.METADATA_FILTERS_MAX)
    .optional(),
};

export const taskSort = z.enum(['createdAt', 'completedAt', 'priority']);

export const queryTasks = defineQuery({
  name: 'task.query',
  summary: 'Tasks by filter, newest first unless told, page by page.',
  scope: 'tasks:read',
  to: { service: 'task-queue' },
  http: { method: 'GET', path: '/v1/tasks' },
  input: z.strictObject({
    ...taskFilter,
    /** Default createdAt. By completedAt: finished tasks only. Of one priority, by createdAt. */
    sort: taskSort.optional(),
    /** Default desc: the newest, the last finished, or the highest priority first. */
    order: z.enum(['asc', 'desc']).optional(),
    ...page,
  }),
  output: z.object({ tasks: z.array(taskRecord), nextCursor: z.string().nullable() }),
  refusals: [NOT_CAUGHT_UP],
});
