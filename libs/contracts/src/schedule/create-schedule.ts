import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { instant } from '../schemas.js';
import { GIVE_ONE, givesOne, scheduleDefinition, scheduleId } from './definition.js';
import { TOO_MANY_SCHEDULES } from './refusals.js';

export const createSchedule = defineCommand({
  name: 'schedule.create',
  summary:
    'Create a task again and again, by interval or by cron; replaces the schedule of this id.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'PUT', path: '/v1/schedules/{scheduleId}' },
  input: z
    .strictObject({
      scheduleId,
      ...scheduleDefinition,
      /** Absent: as it is; a new one runs. */
      paused: z.boolean().optional(),
    })
    .refine(givesOne, GIVE_ONE)
    .refine(
      ({ startAt, endAt }) =>
        startAt === undefined || endAt === undefined || Date.parse(startAt) < Date.parse(endAt),
      { message: 'must be after startAt', path: ['endAt'] },
    ),
  output: z.object({
    scheduleId,
    /** False: there was one of this id. */
    created: z.boolean(),
    nextRunAt: instant.nullable(),
  }),
  refusals: [TOO_MANY_SCHEDULES],
  idempotent: true,
});
