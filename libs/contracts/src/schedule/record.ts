import { z } from 'zod';
import { count, instant, uuid } from '../schemas.js';
import { missedRuns, overlap, scheduleId, scheduledTask } from './definition.js';

/** The schedule as every surface shows it. Instants are ISO 8601. */
export const scheduleRecord = z.object({
  scheduleId,
  every: z.string().nullable(),
  cron: z.string().nullable(),
  timezone: z.string(),
  task: scheduledTask,
  missedRuns,
  overlap,
  startAt: instant.nullable(),
  endAt: instant.nullable(),
  paused: z.boolean(),
  createdAt: instant,
  /** When it was last created or replaced. */
  definedAt: instant,
  /** Null: paused, or there is no further run. */
  nextRunAt: instant.nullable(),
  /** The planned instant of the last run that was started. */
  lastRunAt: instant.nullable(),
  /** The task of the last run, also of one started by hand. */
  lastTaskId: uuid.nullable(),
  /** Tasks created, also by hand. */
  runs: count,
});
export type ScheduleRecord = z.output<typeof scheduleRecord>;
