import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { scheduleId } from './definition.js';

export const deleteSchedule = defineCommand({
  name: 'schedule.delete',
  summary: 'Remove a schedule; tasks that it created remain.',
  scope: 'tasks:write',
  to: { partition: 'task' },
  http: { method: 'DELETE', path: '/v1/schedules/{scheduleId}' },
  input: z.strictObject({ scheduleId }),
  /** False: there was none. */
  output: z.object({ scheduleId, deleted: z.boolean() }),
  refusals: [],
  idempotent: true,
  destructive: true,
});
