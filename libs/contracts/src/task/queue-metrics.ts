import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count, page, percentiles } from '../schemas.js';
import { priority, taskStatus } from './record.js';

export const queueMetrics = defineQuery({
  name: 'queue.metrics',
  summary: 'How much waits, how fast it goes, how well it ends.',
  scope: 'tasks:read',
  to: { service: 'task-queue' },
  http: { method: 'GET', path: '/v1/queue/metrics' },
  input: z.strictObject({ minSeq: page.minSeq }),
  output: z.object({
    byStatus: z.record(taskStatus, count),
    byPriority: z.record(priority, count),
    byType: z.record(z.string(), count),
    oldestPendingMs: z.number().nullable(),
    /** Tasks completed in the last minute. */
    throughputPerMinute: z.number(),
    waitMs: percentiles,
    runMs: percentiles,
    /** Of finished tasks; null before any. */
    successRate: z.number().nullable(),
    retryRate: z.number().nullable(),
  }),
  refusals: [NOT_CAUGHT_UP],
});
