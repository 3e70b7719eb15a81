import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { instant } from '../schemas.js';
import { scheduleId } from './definition.js';
import { scheduleRecord } from './record.js';
import { SCHEDULE_NOT_FOUND } from './refusals.js';

export const getSchedule = defineQuery({
  name: 'schedule.get',
  summary: 'One schedule, with its coming runs.',
  scope: 'tasks:read',
  to: { partition: 'task' },
  http: { method: 'GET', path: '/v1/schedules/{scheduleId}' },
  input: z.strictObject({ scheduleId }),
  output: scheduleRecord.extend({
    /** The next SCHEDULE_NEXT_RUNS, as planned now. */
    nextRuns: z.array(instant),
  }),
  refusals: [SCHEDULE_NOT_FOUND],
});
