import { everyMs } from '@athena/contracts';
import { INVALID_INPUT } from '@athena/operation';
import type { Refusal } from '@athena/operation';
import { Cron } from 'croner';
import { refused } from './decisions.js';
import { instantOf, isZone, wallOf } from './schedule-zone.js';

export interface RecurrenceFields {
  readonly every?: string | undefined;
  readonly cron?: string | undefined;
  readonly timezone: string;
  /** What `every` counts from; no run is before it. */
  readonly anchor: number;
  readonly endAt?: number | undefined;
}

/** The planned instants of a schedule: a function of its definition alone. */
export interface Recurrence {
  /** The shortest time between two runs. */
  readonly gapMs: number;
  /** The first planned instant after this one; undefined: there is none. */
  readonly next: (after: number) => number | undefined;
}

const MINUTE_MS = 60_000;

/** @throws where the fields were not checked */
export function recurrenceOf(fields: RecurrenceFields): Recurrence {
  const { anchor, endAt = Number.POSITIVE_INFINITY } = fields;
  const gapMs = fields.every === undefined ? MINUTE_MS : everyMs(fields.every);
  const next = fields.cron === undefined ? interval(anchor, gapMs) : calendar(fields);
  return {
    gapMs,
    next: (after) => {
      const at = next(Math.max(after, anchor - 1));
      return at !== undefined && at <= endAt ? at : undefined;
    },
  };
}

/** What is wrong with them, or that they never come due; null: nothing. */
export function recurrenceFlaw(fields: RecurrenceFields, now: number): Refusal | null {
  const { cron, timezone } = fields;
  const invalid = (detail: string, field: string) => refused(INVALID_INPUT, detail, field).refusal;
  if (!isZone(timezone)) return invalid(`there is no time zone ${timezone}`, 'timezone');
  try {
    if (recurrenceOf({ ...fields, endAt: undefined }).next(now) === undefined) {
      return invalid(`${cron} never comes`, 'cron');
    }
  } catch (error) {
    return invalid((error as Error).message.replace(/^CronPattern: /, ''), 'cron');
  }
  if (recurrenceOf(fields).next(now) !== undefined) return null;
  return invalid('no run is planned before it', 'endAt');
}

/** The last `most` planned instants from `from` to `until`, both inclusive, in order. */
export function lastRuns(
  { gapMs, next }: Recurrence,
  { from, until, most }: { from: number; until: number; most: number },
): number[] {
  for (let span = most * gapMs; ; span *= 2) {
    const start = Math.max(from, until - span);
    const runs: number[] = [];
    for (let at = next(start - 1); at !== undefined && at <= until; at = next(at)) runs.push(at);
    if (runs.length >= most || start === from) return runs.slice(-most);
  }
}

/** The first `most` planned instants after this one. */
export function nextRuns({ next }: Recurrence, after: number, most: number): number[] {
  const runs: number[] = [];
  for (let at = next(after); at !== undefined && runs.length < most; at = next(at)) runs.push(at);
  return runs;
}

const interval =
  (anchor: number, ms: number) =>
  (after: number): number =>
    anchor + Math.max(0, Math.floor((after - anchor) / ms) + 1) * ms;

/**
 * A pattern for every hour follows time as it passes. One that names hours follows the clock: each
 * time that it names is one run, also where the clock skips it or shows it twice.
 */
function calendar({ cron = '', timezone }: RecurrenceFields): Recurrence['next'] {
  if (everyHour(cron)) {
    const pattern = patternOf(cron, timezone);
    return (after) => pattern.nextRun(new Date(after))?.getTime();
  }
  const pattern = patternOf(cron, 'UTC');
  return (after) => {
    let wall: Date | null = new Date(wallOf(after, timezone));
    while ((wall = pattern.nextRun(wall))) {
      const at = instantOf(wall.getTime(), timezone);
      if (at > after) return at;
    }
    return undefined;
  };
}

/** Reads no clock and sets no timer: it only works out instants. */
const patternOf = (cron: string, timezone: string): Cron =>
  new Cron(cron.trim(), { timezone, mode: '5-part', paused: true });

const everyHour = (cron: string): boolean =>
  /^@hourly$/i.test(cron.trim()) || cron.trim().split(/\s+/)[1] === '*';
