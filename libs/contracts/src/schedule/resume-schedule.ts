import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { instant } from '../schemas.js';
import { scheduleId } from './definition.js';
import { SCHEDULE_NOT_FOUND } from './refusals.js';

export const resumeSchedule = defineCommand({
  name: 'schedule.resume',
  summary: 'Plan runs again, from now on.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/schedules/{scheduleId}/resume' },
  input: z.strictObject({ scheduleId }),
  output: z.object({ scheduleId, paused: z.boolean(), nextRunAt: instant.nullable() }),
  refusals: [SCHEDULE_NOT_FOUND],
  idempotent: true,
});
