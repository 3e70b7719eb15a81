import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { count, page } from '../schemas.js';
import { recommendation } from './figures.js';

export const listRecommendations = defineQuery({
  name: 'recommendations.list',
  summary: 'What stated rules make of the figures of now and the last day, with the evidence.',
  scope: 'tasks:read',
  to: { service: 'consolidation' },
  http: { method: 'GET', path: '/v1/recommendations' },
  input: z.strictObject({
    windowMs: z.coerce
      .number()
      .int()
      .min(1)
      .max(limits.INSIGHTS_WINDOW_MS_MAX)
      .default(limits.INSIGHTS_WINDOW_MS_DEFAULT),
    minSeq: page.minSeq,
  }),
  output: z.object({
    /** Finished attempts that the rules looked at, beside the queue and fleet of now. */
    attempts: count,
    /** The most severe first. */
    recommendations: z.array(recommendation),
  }),
  refusals: [NOT_CAUGHT_UP],
});
