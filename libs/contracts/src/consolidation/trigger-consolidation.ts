import { NOT_CAUGHT_UP, defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { count, instant, uuid } from '../schemas.js';
import { recommendation } from './figures.js';

export const triggerConsolidation = defineCommand({
  name: 'consolidation.trigger',
  summary: 'Work out the figures of the last finished attempts, keep them, and say what they are.',
  scope: 'tasks:write',
  to: { service: 'consolidation' },
  http: { method: 'POST', path: '/v1/consolidations' },
  input: z.strictObject({
    /** Finished attempts, the last ones. */
    batchSize: z
      .int()
      .min(1)
      .max(limits.CONSOLIDATION_BATCH_MAX)
      .default(limits.CONSOLIDATION_BATCH_DEFAULT),
  }),
  output: z.object({
    /** Null where nothing was kept: nothing finished since a run that covered as much. */
    consolidationId: uuid.nullable(),
    covered: z.object({
      /** Of the first and the last outcome; null where nothing has finished yet. */
      from: instant.nullable(),
      to: instant.nullable(),
      tasks: count,
      /** Outcomes in the log, one for each finished attempt. */
      events: count,
      /** Those of them that no earlier run covered. */
      newEvents: count,
    }),
    /** Lines of figures: types, kinds and pairs of them. */
    insights: count,
    recommendations: z.array(recommendation),
  }),
  refusals: [NOT_CAUGHT_UP],
});
