import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { uuid } from '../schemas.js';
import { scheduleId } from './definition.js';
import { SCHEDULE_NOT_FOUND } from './refusals.js';

export const triggerSchedule = defineCommand({
  name: 'schedule.trigger',
  summary: 'Create the schedule’s task now, whether paused or not; planned runs stay as they are.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'POST', path: '/v1/schedules/{scheduleId}/trigger', status: 201 },
  input: z.strictObject({ scheduleId }),
  output: z.object({ scheduleId, taskId: uuid }),
  refusals: [SCHEDULE_NOT_FOUND],
});
