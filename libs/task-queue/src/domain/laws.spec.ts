import type { TaskEvent } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drive, histories } from './histories.scenario.js';
import type { Queue } from './queue.scenario.js';
import { initialState, reindex, tablesOf, type TaskState } from './state.js';
import { evolve } from './evolve.js';

const canonical = (state: TaskState): unknown => ({
  tables: tablesOf(state).map((table) => [
    table.name,
    [...table.entries()].sort(([a], [b]) => (a < b ? -1 : 1)),
  ]),
  dependents: sets(state.dependents),
  held: sets(state.held),
  keys: state.keyOrder.slice(state.keysHead),
});

const sets = (index: ReadonlyMap<string, ReadonlySet<string>>): unknown =>
  [...index].map(([key, members]) => [key, [...members].sort()] as const).sort();

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** The rows that a store holds after checkpoints at the given places of the log. */
function restored(queue: Queue, at: number): TaskState {
  const source = initialState(0);
  const rows = new Map<string, { table: string; key: string; json: string }>();
  queue.log.slice(0, at).forEach(({ event, ...context }, position) => {
    evolve(source, event, { ...context, epoch: 1 });
    if (position % 3 !== 0 && position !== at - 1) return;
    for (const table of tablesOf(source)) {
      const { upserts, deletes } = table.takeChanges();
      for (const row of upserts) rows.set(`${row.table}/${row.key}`, row);
      for (const row of deletes) rows.delete(`${row.table}/${row.key}`);
    }
  });
  const state = initialState(0);
  const tables = new Map(tablesOf(state).map((table) => [table.name, table]));
  for (const row of rows.values()) tables.get(row.table)?.restore(row.key, JSON.parse(row.json));
  reindex(state);
  return state;
}

describe('laws of the task partition', () => {
  it('load(project(log[0..k])) + tail = fold(log), for every k', () => {
    fc.assert(
      fc.property(histories, fc.nat(), (history, cut) => {
        const queue = drive(history);
        const at = cut % (queue.log.length + 1);
        const state = restored(queue, at);
        for (const { event, ...context } of queue.log.slice(at)) {
          evolve(state, event, { ...context, epoch: 1 });
        }
        expect(json(canonical(state))).toEqual(json(canonical(queue.state)));
      }),
      { numRuns: 150 },
    );
  });

  it('the same command twice is once', () => {
    fc.assert(
      fc.property(histories, (history) => {
        drive(history, (types) => expect(types).toEqual([]));
      }),
      { numRuns: 150 },
    );
  });

  it('a task ends at most once, by the holder of its current attempt, after its dependencies', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { log } = drive(history);
        const completed = new Set<string>();
        const ended = new Set<string>();
        const holders = new Map<string, string>();
        const waits = new Map<string, readonly string[]>();
        for (const { event: logged } of log) {
          const event = logged as TaskEvent;
          if (event.type === 'TaskCreated') waits.set(event.id, event.data.waitsFor);
          if (event.type === 'TaskAssigned') {
            expect(holders.has(event.id)).toBe(false);
            for (const id of waits.get(event.id) ?? []) expect(completed).toContain(id);
            holders.set(event.id, event.data.agentId);
          }
          if (['TaskReleased', 'AttemptFailed'].includes(event.type)) holders.delete(event.id);
          if (['TaskCompleted', 'TaskFailed', 'TaskCancelled'].includes(event.type)) {
            expect(ended).not.toContain(event.id);
            ended.add(event.id);
          }
          if (event.type === 'TaskCompleted') {
            expect(holders.get(event.id)).toBe(event.data.agentId);
            completed.add(event.id);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
