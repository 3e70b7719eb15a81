import type { LoggedEvent } from '@athena/event-log';
import type { Projection } from '@athena/projection';
import { describe, expect, it } from '@jest/globals';
import * as given from '../happenings.scenario.js';
import { attemptOutcomes, type AttemptOutcomesRow } from './attempt-outcomes.js';
import { fleetActivity, type FleetActivityRow } from './fleet-activity.js';

const AT = Date.parse('2026-03-01T12:00:00Z');
type Timed = readonly [ms: number, event: LoggedEvent];

/** The one row that the events concern. */
function fold<R>(projection: Projection, events: readonly Timed[]): R | null {
  let row: Record<string, unknown> | null = null;
  for (const [n, [ms, event]] of events.entries()) {
    const place = { seq: n + 1, index: 0, at: AT + ms, partition: 'task.0', rev: n + 1 };
    if (!projection.keyOf(event, place)) continue;
    row = projection.apply(row && Object.freeze(row), event, place);
  }
  return row as R | null;
}
const task = (...events: Timed[]) => fold<AttemptOutcomesRow>(attemptOutcomes, events);
const agent = (...events: Timed[]) => fold<FleetActivityRow>(fleetActivity, events);

describe('the outcomes of attempts', () => {
  it('tell how long the attempt waited and ran', () => {
    const row = task(
      [0, given.created('t')],
      [30, given.assigned('t')],
      [100, given.completed('t', 55)],
    );
    expect(row).toMatchObject({ state: 'ended', last_at: AT + 100, last_seq: 3 });
    expect(row?.outcomes).toEqual([
      {
        attempt: 1,
        kind: 'reader',
        outcome: 'completed',
        wait_ms: 30,
        run_ms: 55,
        at: AT + 100,
        seq: 3,
        idx: 0,
      },
    ]);
    expect(attemptOutcomes.columns.map(({ name }) => name).sort()).toEqual(
      Object.keys(row as object).sort(),
    );
  });

  it('count a wait from the planned time, the last dependency or the backoff', () => {
    const runAt = new Date(AT + 500).toISOString();
    const planned = task([0, given.created('t', { runAt })], [520, given.assigned('t')]);
    expect(planned?.wait_ms).toBe(20);
    const later = task(
      [0, given.created('t', { waitsFor: ['a', 'b'] })],
      [10, given.dependencyCompleted('t', 'a')],
      [200, given.dependencyCompleted('t', 'b')],
      [207, given.assigned('t')],
    );
    expect(later?.wait_ms).toBe(7);
    const again = task(
      [0, given.created('t')],
      [10, given.assigned('t')],
      [20, given.attemptFailed('t', 9, AT + 1_020)],
      [1_060, given.assigned('t', 'writer', 2)],
      [1_100, given.completed('t', 40, 'writer', 2)],
    );
    expect(again?.outcomes).toMatchObject([
      { attempt: 1, kind: 'reader', outcome: 'failed', wait_ms: 10, run_ms: 9 },
      { attempt: 2, kind: 'writer', outcome: 'completed', wait_ms: 40, run_ms: 40 },
    ]);
  });

  it('hold what vanished as lost, without a time, and what never began not at all', () => {
    const start: Timed[] = [
      [0, given.created('t')],
      [10, given.assigned('t')],
    ];
    expect(task(...start, [50, given.released('t', 'session_ended')])).toMatchObject({
      state: 'open',
      ready_at: AT + 50,
      outcomes: [{ kind: 'reader', outcome: 'lost', run_ms: null }],
    });
    expect(task(...start, [50, given.taskFailed('t', 40, { lost: true })])).toMatchObject({
      state: 'ended',
      outcomes: [{ outcome: 'lost', run_ms: null }],
    });
    expect(task(...start, [50, given.released('t', 'not_started')])?.outcomes).toEqual([]);
    expect(task(...start, [50, given.cancelled('t')])).toBeNull();
    expect(task(...start, [50, given.expired('t')])).toBeNull();
  });

  it('of before a task was redriven stay beside those of after', () => {
    const row = task(
      [0, given.created('t')],
      [10, given.assigned('t')],
      [20, given.taskFailed('t', 9)],
      [5_000, given.redriven('t', 1)],
      [5_040, given.assigned('t', 'writer', 2)],
      [5_100, given.completed('t', 60, 'writer', 2)],
    );
    expect(row?.outcomes).toMatchObject([
      { attempt: 1, outcome: 'failed', wait_ms: 10 },
      { attempt: 2, outcome: 'completed', wait_ms: 40 },
    ]);
    const anew = task(
      [0, given.created('t')],
      [1, given.cancelled('t')],
      [9, given.redriven('t', 0)],
    );
    expect(anew).toMatchObject({ state: 'open', ready_at: AT + 9, outcomes: [] });
  });

  it('know which tasks the router may assign', () => {
    const waiting: Timed = [0, given.created('t', { waitsFor: ['a'] })];
    expect(task([0, given.created('t')])?.state).toBe('open');
    expect(task([0, given.created('t', { autoRoute: false })])?.state).toBe('held');
    expect(task(waiting)?.state).toBe('held');
    expect(task(waiting, [1, given.blocked('t', 'a')])?.state).toBe('held');
    expect(task(waiting, [1, given.dependencyCompleted('t', 'a')])?.state).toBe('open');
    expect(task([0, given.created('t')], [1, given.assigned('t')])?.state).toBe('assigned');
  });
});

describe('the fleet’s activity', () => {
  it('follows sessions and leases', () => {
    const here: Timed = [0, given.registered('reader-1', 'reader', ['ocr'])];
    const row = agent(here);
    expect(row).toMatchObject({ kind: 'reader', online: true, active_at: AT, active_tasks: 0 });
    expect(fleetActivity.columns.map(({ name }) => name).sort()).toEqual(
      Object.keys(row as object).sort(),
    );
    const busy: Timed = [50, given.assigned('t')];
    expect(agent(here, busy)).toMatchObject({ active_tasks: 1, active_at: AT + 50 });
    expect(agent(here, busy, [90, given.completed('t', 1)])).toMatchObject({
      active_tasks: 0,
      active_at: AT + 90,
    });
    expect(agent(here, [99, given.sessionEnded('reader-1')])?.online).toBe(false);
    expect(agent([0, given.assigned('t')])).toBeNull();
  });
});
