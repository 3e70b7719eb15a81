import { limits } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { lastRuns, nextRuns, recurrenceFlaw, recurrenceOf } from './schedule-recurrence.js';

const at = (iso: string): number => Date.parse(iso);
const runs = (cron: string, timezone: string, from: string, count: number): string[] =>
  nextRuns(recurrenceOf({ cron, timezone, anchor: 0 }), at(from), count).map((ms) =>
    new Date(ms).toISOString().replace(':00.000Z', 'Z'),
  );
const daily = '30 2 * * *';
const SPRING = '2026-03-28T12:00:00Z';
const AUTUMN = '2026-10-24T12:00:00Z';

describe('a pattern in a zone', () => {
  it('follows the zone’s clock over the year', () => {
    expect(runs('0 9 * * mon-fri', 'America/New_York', '2026-03-06T00:00:00Z', 3)).toEqual([
      '2026-03-06T14:00Z',
      '2026-03-09T13:00Z',
      '2026-03-10T13:00Z',
    ]);
    expect(runs('@daily', 'Asia/Kolkata', SPRING, 1)).toEqual(['2026-03-28T18:30Z']);
    expect(runs('0 0 29 2 *', 'UTC', SPRING, 2)).toEqual([
      '2028-02-29T00:00Z',
      '2032-02-29T00:00Z',
    ]);
  });

  it('runs a time that spring skips when the clock is put forward, once', () => {
    expect(runs(daily, 'Europe/Berlin', SPRING, 2)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-30T00:30Z',
    ]);
    expect(runs('0,15,30 2,3 * * *', 'Europe/Berlin', SPRING, 4)).toEqual([
      '2026-03-29T01:00Z',
      '2026-03-29T01:15Z',
      '2026-03-29T01:30Z',
      '2026-03-30T00:00Z',
    ]);
    // Half an hour is skipped; and in São Paulo it was midnight.
    expect(runs('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', 1)).toEqual([
      '2026-10-03T15:30Z',
    ]);
    expect(runs('0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', 2)).toEqual([
      '2018-11-04T03:00Z',
      '2018-11-05T02:00Z',
    ]);
  });

  it('runs a time that autumn shows twice at the first of the two', () => {
    expect(runs(daily, 'Europe/Berlin', AUTUMN, 2)).toEqual([
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
    expect(runs('*/30 2 * * *', 'Europe/Berlin', AUTUMN, 3)).toEqual([
      '2026-10-25T00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-26T01:00Z',
    ]);
    expect(runs(daily, 'Europe/Berlin', '2026-10-25T00:45:00Z', 1)).toEqual(['2026-10-26T01:30Z']);
  });

  it('of every hour goes on with time as it passes, in spring and autumn', () => {
    expect(runs('0 * * * *', 'Europe/Berlin', '2026-03-28T23:30:00Z', 4)).toEqual([
      '2026-03-29T00:00Z',
      '2026-03-29T01:00Z',
      '2026-03-29T02:00Z',
      '2026-03-29T03:00Z',
    ]);
    expect(runs('*/30 * * * *', 'Europe/Berlin', '2026-10-24T23:45:00Z', 5)).toEqual([
      '2026-10-25T00:00Z',
      '2026-10-25T00:30Z',
      '2026-10-25T01:00Z',
      '2026-10-25T01:30Z',
      '2026-10-25T02:00Z',
    ]);
  });
});

describe('an interval', () => {
  it('counts from its start, which is a run', () => {
    const { next } = recurrenceOf({ every: '5m', timezone: 'UTC', anchor: 1_000 });
    expect(next(0)).toBe(1_000);
    expect(next(1_000)).toBe(301_000);
    expect(next(300_999)).toBe(301_000);
  });

  it('has an end, which may be a run', () => {
    const fields = { every: '1s', timezone: 'UTC', anchor: 0, endAt: 2_000 };
    expect(nextRuns(recurrenceOf(fields), 0, 9)).toEqual([1_000, 2_000]);
  });
});

const recurrences = fc.oneof(
  fc.record({
    every: fc.constantFrom('1s', '7s', '90m', '1d'),
    timezone: fc.constant('UTC'),
  }),
  fc.record({
    cron: fc.constantFrom('* * * * *', '*/7 * * * *', '0 */2 * * *', '20,40 1-3 * * 0', '@monthly'),
    timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'),
  }),
);
/** Around the days on which the clocks of Europe and America are changed. */
const instants = fc
  .constantFrom('2026-03-28', '2026-10-24', '2026-03-07', '2026-10-31', '2026-10-03')
  .chain((day) => fc.integer({ min: 0, max: 2 * 24 * 3_600_000 }).map((ms) => at(day) + ms));

describe('the planned instants of any schedule', () => {
  it('are the same whichever instant one begins at, and at least a gap apart', () => {
    fc.assert(
      fc.property(recurrences, instants, fc.nat(24 * 3_600_000), (fields, from, ms) => {
        const recurrence = recurrenceOf({ ...fields, anchor: at('2026-01-01') });
        const planned = nextRuns(recurrence, from, 30);
        const later = Math.min(from + ms, planned.at(-1)! - 1);
        const expected = planned.filter((run) => run > later);
        expect(nextRuns(recurrence, later, expected.length)).toEqual(expected);
        expect(planned[0]).toBeGreaterThan(from);
        for (const [n, run] of planned.slice(1).entries()) {
          expect(run - planned[n]!).toBeGreaterThanOrEqual(recurrence.gapMs);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are found from their end as from their beginning', () => {
    fc.assert(
      fc.property(recurrences, instants, fc.nat(150), fc.integer({ min: 1, max: 60 }), (...of) => {
        const [fields, from, count, most] = of;
        const recurrence = recurrenceOf({ ...fields, anchor: at('2026-01-01') });
        const planned = nextRuns(recurrence, from - 1, count);
        const until = planned.at(-1) ?? from - 1;
        expect(lastRuns(recurrence, { from, until, most })).toEqual(planned.slice(-most));
      }),
      { numRuns: 40 },
    );
  });
});

describe('a recurrence that cannot be', () => {
  const now = at('2026-01-01T00:00:00Z');
  const flaw = (fields: object): string | undefined =>
    recurrenceFlaw({ timezone: 'UTC', anchor: now, ...fields }, now)?.field;

  it.each([
    ['* * * *'],
    ['* * * * * *'],
    ['60 * * * *'],
    ['*/0 * * * *'],
    ['@never'],
    ['@reboot'],
    ['0 0 30 2 *'],
    ['a b c d e'],
    [''],
  ])('names the field cron: %s', (cron) => expect(flaw({ cron })).toBe('cron'));

  it('names the time zone, and an end before the first run', () => {
    expect(flaw({ cron: daily, timezone: 'Mars/Olympus' })).toBe('timezone');
    expect(flaw({ cron: daily, endAt: now + 3_600_000 })).toBe('endAt');
    expect(flaw({ cron: daily, endAt: now + 24 * 3_600_000 })).toBeUndefined();
    expect(limits.SCHEDULE_EVERY_MS_MIN).toBe(1_000);
  });
});
