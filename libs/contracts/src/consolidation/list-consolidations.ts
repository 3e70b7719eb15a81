import { UNAVAILABLE, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count, page } from '../schemas.js';
import { consolidationRecord } from './consolidation.js';

export const listConsolidations = defineQuery({
  name: 'consolidation.list',
  summary: 'The kept consolidations, newest first, page by page.',
  scope: 'tasks:read',
  to: { service: 'consolidation' },
  http: { method: 'GET', path: '/v1/consolidations' },
  input: z.strictObject({ limit: page.limit, cursor: page.cursor }),
  output: z.object({
    consolidations: z.array(
      consolidationRecord.extend({
        /** Lines of figures: types, kinds and pairs of them. */
        insights: count,
        recommendations: count,
      }),
    ),
    nextCursor: z.string().nullable(),
  }),
  refusals: [UNAVAILABLE],
});
