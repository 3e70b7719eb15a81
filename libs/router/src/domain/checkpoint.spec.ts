import { describe, expect, it } from '@jest/globals';
import type { TaskOptions } from '@athena/contracts';
import type { StateRow } from '@athena/event-log';
import fc from 'fast-check';
import { RouterCheckpoint, type RouterRows } from './checkpoint.js';
import { RouterScenario } from './router.scenario.js';
import { RouterState } from './router-state.js';

/** The rows in a store, as saves leave them. */
class Rows {
  readonly #rows = new Map<string, StateRow>();

  save({ whole, upserts, deletes }: RouterRows): void {
    if (whole) this.#rows.clear();
    for (const { table, key } of deletes) this.#rows.delete(`${table}/${key}`);
    for (const row of upserts) this.#rows.set(`${row.table}/${row.key}`, row);
  }
  get all(): StateRow[] {
    return [...this.#rows.values()];
  }
}

const rowsOf = (state: RouterState): string[] => {
  const { fleet, tasks, pauses, quotas, credentials, born, registrySeq } = state;
  return [
    ...pauses.table.entries(),
    ...[...fleet.table.entries(), ...fleet.kindTable.entries()],
    ...[...tasks.table.entries(), ...credentials.entries()],
    ...[...quotas.concurrencies.entries(), ...quotas.rates.entries()],
    { born, registrySeq },
  ]
    .map((row) => JSON.stringify(row))
    .sort();
};

/** All that a state is and does: its rows, its tallies, and what it would decide next. */
const lookOf = (state: RouterState, now: number): unknown => {
  const rows = rowsOf(state);
  const loads = [...state.fleet.agents()].map(({ key, active, free }) => [key, active, free]);
  const tallies = state.tasks.tallies('p');
  const running = [...state.quotas.concurrencies.values()].map(({ name, running: n }) => [name, n]);
  const given = new RouterScenario(state);
  given.now = now;
  const decisions = given
    .pass(100)
    .map(({ task, agent, decision }) => [task.id, agent.key, decision]);
  return { rows, loads: loads.sort(), running: running.sort(), tallies, decisions };
};

const optionsOf = (step: number): { options?: TaskOptions } => {
  const [concurrency, rateLimit] = [
    { key: `c${step % 2}`, max: 1 + (step % 3) },
    { key: `r${step % 4}`, limit: 1 + (step % 2), periodMs: 500 * (1 + (step % 3)) },
  ];
  const fairnessKey = `f${step % 3}`;
  const some = [{}, { concurrency }, { rateLimit }, { fairnessKey, concurrency, rateLimit }];
  return step < 28 ? {} : { options: some[step % 5] ?? { fairnessKey } };
};

/** A history of agents that come and go, and tasks that are created, placed, lost and finished. */
function historyOf(steps: readonly number[]): RouterScenario {
  const given = new RouterScenario();
  const names = ['a', 'b', 'c'];
  const tasks: string[] = [];
  [0, 17, 34, 3, 20, 7, ...steps].forEach((step, n) => {
    const name = names[n % names.length] as string;
    const agent = given.state.fleet.get('p', name);
    const held = [...(agent?.held ?? [])][0]?.id;
    const waiting = tasks.filter((id) => given.state.tasks.get(id)?.status === 'pending');
    const some = waiting[step % Math.max(1, waiting.length)];
    switch (step % 17) {
      case 0:
        return given.agent(name, { session: n + 1, capabilities: ['x'], kind: `k${n % 2}` });
      case 1:
        return agent?.present ? given.gone(name) : undefined;
      case 2:
        return agent ? given.event('AgentReturned', name, { session: n + 1 }) : undefined;
      case 3:
        return tasks.push(given.task({ requirements: n % 2 ? ['x'] : [], ...optionsOf(step) }));
      case 4:
        return tasks.push(given.task({ priority: 'high', excludeAgents: [name] }));
      case 5:
        return some && tasks.push(given.task({ dependencies: [some], waitsFor: [some] }));
      case 6:
        return tasks.push(given.task({ runAt: '2026-01-02T00:00:00Z' }));
      case 7:
        given.now += step * 10;
        return given.route();
      case 8:
        return held && given.completed(held);
      case 9:
        return held && given.released(held, n % 2 === 0);
      case 10:
        return held && given.failed(held);
      case 11:
        return some && given.event('TaskDue', some, {});
      case 12:
        return some && given.event('TaskCancelled', some, {});
      case 13:
        return given.event('QueuePaused', 'task.0', n % 2 ? { taskType: 'work' } : {});
      case 14:
        return given.event('QueueResumed', 'task.0', n % 2 ? { taskType: 'work' } : {});
      case 15:
        return some && given.event('TaskReprioritised', some, { priority: 'low' });
      default:
        return some && given.event('DependencyCompleted', some, { dependency: tasks[0] as string });
    }
  });
  return given;
}

const fold = (history: RouterScenario['history'], state: RouterState): RouterState => {
  for (const { event, standing } of history) state.evolve(event, standing);
  return state;
};

describe('a stored state', () => {
  it('with the rest of the log is the fold of the whole log, wherever it was taken', () => {
    const step = fc.constantFrom(...Array.from({ length: 170 }, (_, n) => n));
    const history = fc.array(step, { minLength: 40, maxLength: 90 });
    const cuts = fc.array(fc.constantFrom(0.1, 0.3, 0.5, 0.7, 0.9), { minLength: 2, maxLength: 4 });
    const holds = fc.property(history, cuts, (steps, parts) => {
      const { history: events, now } = historyOf(steps);
      const stored = new Rows();
      let checkpoint = new RouterCheckpoint(new RouterState());
      let at = 0;
      for (const part of [...parts.sort(), 1]) {
        const cut = Math.floor(part * events.length);
        fold(events.slice(at, cut), checkpoint.state);
        stored.save(checkpoint.take());
        checkpoint = RouterCheckpoint.restore(stored.all, cut);
        at = cut;
      }
      const folded = fold(events, new RouterState());
      expect(lookOf(checkpoint.state, now)).toEqual(lookOf(folded, now));
    });
    fc.assert(holds, { numRuns: 150 });
  });

  it('is written by what changed, and by all of it after a standby followed for long', () => {
    const given = new RouterScenario().agent('a');
    const checkpoint = new RouterCheckpoint(given.state);
    const first = checkpoint.take();
    const task = given.task();
    const second = checkpoint.take();

    expect([first.whole, second.whole]).toEqual([true, false]);
    expect(second.upserts.map(({ table, key }) => [table, key])).toEqual([
      ['task', task],
      ['tally', 'tally'],
    ]);
    given.event('TaskCancelled', task, {});
    expect(checkpoint.take().deletes).toEqual([{ table: 'task', key: task }]);

    for (let n = 0; n < 10_100; n++) given.event('TaskCancelled', given.task(), {});
    checkpoint.bound();
    const last = checkpoint.take();
    expect([last.whole, last.upserts.length]).toEqual([true, 3]);
  });

  it('knows of a dependency that completed while the task waits for another', () => {
    const given = new RouterScenario();
    const [first, second] = [given.task({}), given.task({})] as [string, string];
    const both = [first, second];
    const task = given.task({ dependencies: both, waitsFor: both });
    const checkpoint = new RouterCheckpoint(given.state);
    const rows = new Rows();
    rows.save(checkpoint.take());
    given.event('DependencyCompleted', task, { dependency: first });
    rows.save(checkpoint.take());
    const restored = RouterCheckpoint.restore(rows.all, 0).state;
    expect([...(restored.tasks.get(task)?.waitsFor ?? [])]).toEqual([second]);
  });

  it('that could not be saved is part of the next save', () => {
    const given = new RouterScenario().agent('a');
    const checkpoint = new RouterCheckpoint(given.state);
    const stored = new Rows();
    checkpoint.giveBack(checkpoint.take());
    stored.save(checkpoint.take());
    const [kept, gone] = [given.task(), given.task()];
    stored.save(checkpoint.take());
    given.event('TaskCancelled', gone, {});
    checkpoint.giveBack(checkpoint.take());
    stored.save(checkpoint.take());

    const { state } = RouterCheckpoint.restore(stored.all, 1);
    expect([...state.tasks.values()].map(({ id }) => id)).toEqual([kept]);
  });

  it('is not left with rows that another router added and this one has seen go', () => {
    const given = new RouterScenario();
    const stored = new Rows();
    stored.save(new RouterCheckpoint(given.state).take());
    const mine = RouterCheckpoint.restore(stored.all, 0);
    const task = given.task();
    stored.save(new RouterCheckpoint(given.state).take());
    given.event('TaskCancelled', task, {});
    fold(given.history, mine.state);
    stored.save(mine.take());

    expect(stored.all.filter(({ table }) => table === 'task')).toEqual([]);
  });
});
