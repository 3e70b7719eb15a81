import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { instant } from '../schemas.js';
import { GIVE_ONE, givesOne, recurrence } from './definition.js';

export const previewSchedule = defineQuery({
  name: 'schedule.preview',
  summary: 'When a schedule would run; nothing is created.',
  scope: 'tasks:read',
  to: { partition: 'task' },
  http: { method: 'GET', path: '/v1/schedule-preview' },
  input: z
    .strictObject({
      ...recurrence,
      count: z.coerce
        .number()
        .int()
        .min(1)
        .max(limits.SCHEDULE_PREVIEW_MAX)
        .default(limits.SCHEDULE_NEXT_RUNS),
      /** Runs after this instant; default: now. `every` counts from it. */
      from: instant.optional(),
    })
    .refine(givesOne, GIVE_ONE),
  output: z.object({ runs: z.array(instant) }),
  refusals: [],
});
