import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, instant, uuid } from '../schemas.js';
import { newTask } from '../task/create-task.js';

/** Chosen by the client. No UUID: those name tasks. */
export const scheduleId = clientId.refine((id) => !uuid.safeParse(id).success, {
  message: 'a schedule’s id may not look like a task’s',
});

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const;

/** `30s`, `5m`, `1h`, `1d` as milliseconds; a day is 24 hours. */
export function everyMs(text: string): number {
  const unit = text.slice(-1) as keyof typeof UNITS_MS;
  return Number.parseInt(text, 10) * UNITS_MS[unit];
}

const every = z
  .string()
  .regex(/^\d{1,8}[smhd]$/, 'use a whole number and s, m, h or d: 30s, 5m, 1h, 1d')
  .refine((text) => everyMs(text) >= limits.SCHEDULE_EVERY_MS_MIN, 'may be no shorter than 1s')
  .refine((text) => everyMs(text) <= limits.SCHEDULE_EVERY_MS_MAX, 'may be no longer than 366d');

const cron = z
  .string()
  .max(limits.NAME_LENGTH_MAX)
  .regex(/^[A-Za-z0-9@*,/#?+ -]+$/, 'use five fields, or @hourly, @daily, @weekly, @monthly');

/** When: `every` or `cron`, and the zone in which the clock shows the times of `cron`. */
export const recurrence = {
  every: every.optional(),
  cron: cron.optional(),
  timezone: z
    .string()
    .max(64)
    .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/, 'use an IANA name: Europe/Berlin, UTC')
    .default('UTC'),
};

/** Either of the two, and not both. */
export const givesOne = ({
  every,
  cron,
}: {
  every?: string | undefined;
  cron?: string | undefined;
}): boolean => (every === undefined) !== (cron === undefined);

export const GIVE_ONE = { message: 'give every or cron, one of the two', path: ['cron'] };

/** What each run creates: a task without instants and dependencies of its own. */
export const scheduledTask = newTask.omit({
  dependencies: true,
  runAt: true,
  delayMs: true,
  retryUntil: true,
  deadline: true,
});
export type ScheduledTask = z.output<typeof scheduledTask>;

/** What becomes of runs that nobody was there to start: none, the last one, each of them. */
export const missedRuns = z.enum(['skip', 'one', 'all']);
/** Whether a run begins while the task of the one before is not finished. */
export const overlap = z.enum(['allow', 'skip']);

export const scheduleDefinition = {
  ...recurrence,
  task: scheduledTask,
  missedRuns: missedRuns.default('one'),
  overlap: overlap.default('allow'),
  /** No run before; and what `every` counts from. Default: when the schedule was defined. */
  startAt: instant.optional(),
  /** No run after. */
  endAt: instant.optional(),
};
