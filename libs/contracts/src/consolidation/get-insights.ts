import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, count, instant, label, page } from '../schemas.js';
import { attemptFigures } from './figures.js';

export const getInsights = defineQuery({
  name: 'insights.get',
  summary: 'How finished work went: by task type, by kind of agent, by both, and over time.',
  scope: 'tasks:read',
  to: { service: 'consolidation' },
  http: { method: 'GET', path: '/v1/insights' },
  input: z.strictObject({
    taskType: label.optional(),
    kind: clientId.optional(),
    /** Up to now, milliseconds. */
    windowMs: z.coerce
      .number()
      .int()
      .min(1)
      .max(limits.INSIGHTS_WINDOW_MS_MAX)
      .default(limits.INSIGHTS_WINDOW_MS_DEFAULT),
    minSeq: page.minSeq,
  }),
  output: z.object({
    covered: z.object({
      /** When more attempts finished than one set of figures holds: that of the oldest in it. */
      from: instant,
      to: instant,
      tasks: count,
      attempts: count,
      /** As many as fit were found: older attempts of the window may be left out. */
      cut: z.boolean(),
    }),
    total: attemptFigures,
    byType: z.array(attemptFigures.extend({ taskType: label })),
    byKind: z.array(attemptFigures.extend({ kind: clientId })),
    byTypeAndKind: z.array(attemptFigures.extend({ taskType: label, kind: clientId })),
    /** Equal parts of the covered time in which an attempt finished, oldest first. */
    overTime: z.array(attemptFigures.extend({ from: instant, to: instant })),
  }),
  refusals: [NOT_CAUGHT_UP],
});
