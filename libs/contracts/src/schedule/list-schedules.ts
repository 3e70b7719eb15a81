import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { page } from '../schemas.js';
import { scheduleRecord } from './record.js';

export const listSchedules = defineQuery({
  name: 'schedule.list',
  summary: 'The project’s schedules in the order of their ids, a page at a time.',
  scope: 'tasks:read',
  to: { partition: 'task' },
  http: { method: 'GET', path: '/v1/schedules' },
  input: z.strictObject({ limit: page.limit, cursor: page.cursor }),
  output: z.object({ schedules: z.array(scheduleRecord), nextCursor: z.string().nullable() }),
  refusals: [],
});
