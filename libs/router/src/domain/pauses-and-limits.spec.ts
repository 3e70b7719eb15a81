import { describe, expect, it, jest } from '@jest/globals';
import type { Priority } from '@athena/contracts';
import fc from 'fast-check';
import { Heap } from './heap.js';
import { RouterScenario } from './router.scenario.js';
import { whyWaiting } from './why.js';

const keyed = (max: number) => ({ options: { concurrency: { key: 'gpu', max } } });
const idsOf = (given: RouterScenario): string[] => given.route().map(({ task }) => task.id);
const paused = (given: RouterScenario, data: { taskType?: string } = {}) =>
  given.event('QueuePaused', 'task.0', data);
const resumed = (given: RouterScenario, data: { taskType?: string } = {}) =>
  given.event('QueueResumed', 'task.0', data);
const running = ({ state }: RouterScenario): number[] =>
  [...state.quotas.concurrencies.values()].map(({ running: n }) => n);
const expired = (given: RouterScenario, id: string) => {
  const agentId = given.taskOf(id).hold?.agent.agentId;
  const error = { message: 'not finished in time', code: 'DEADLINE_EXCEEDED' };
  return given.event('TaskExpired', id, {
    ...{ reason: 'deadline', error, deadLettered: false },
    ...(agentId === undefined ? {} : { agentId }),
  });
};
const large = { maxConcurrentTasks: 1_000 };

describe('a slot of a concurrency key', () => {
  it('is free again when the task that holds it expires, and once only', () => {
    const given = new RouterScenario().agent('a', large);
    const [first, second, third] = [1, 2, 3].map(() => given.task(keyed(1))) as [
      string,
      ...string[],
    ];
    expect(idsOf(given)).toEqual([first]);

    expired(given, second as string);
    expect([idsOf(given), running(given)]).toEqual([[], [1]]);
    expired(given, first);
    expect([idsOf(given), running(given)]).toEqual([[third], [1]]);
    expired(given, third as string);
    expect(running(given)).toEqual([]);
  });

  it('stays with its task when that is reprioritised, and comes back once', () => {
    const given = new RouterScenario().agent('a', large);
    const [first, second, third] = [1, 2, 3].map(() => given.task(keyed(1))) as [
      string,
      ...string[],
    ];
    given.route();
    given.event('TaskReprioritised', first, { priority: 'low' });
    given.event('TaskReprioritised', third as string, { priority: 'high' });

    expect([idsOf(given), running(given)]).toEqual([[], [1]]);
    given.completed(first);
    expect([idsOf(given), running(given)]).toEqual([[third], [1]]);
    given.completed(third as string);
    expect([idsOf(given), running(given)]).toEqual([[second], [1]]);
  });

  it('stays with a task that runs while its type is paused', () => {
    const given = new RouterScenario().agent('a', large);
    const [first, second] = [1, 2].map(() => given.task(keyed(1))) as [string, string];
    given.route();
    paused(given);

    expect([idsOf(given), running(given)]).toEqual([[], [1]]);
    given.completed(first);
    expect([idsOf(given), running(given)]).toEqual([[], [0]]);
    expect(whyWaiting(given.taskOf(second), given.state, given.now).reason).toBe('paused');
    expect(idsOf(resumed(given))).toEqual([second]);
  });

  it('is not kept from others by a task that is paused', () => {
    const given = new RouterScenario().agent('a', large);
    const first = given.task({ ...keyed(1), taskType: 'x' });
    const next = given.task({ ...keyed(1), taskType: 'x' });
    const other = given.task({ ...keyed(1), taskType: 'y' });
    given.route();
    paused(given, { taskType: 'x' }).completed(first);

    expect(idsOf(given)).toEqual([other]);
    resumed(given, { taskType: 'x' });
    expect(idsOf(given)).toEqual([]);
    given.completed(other);
    expect(idsOf(given)).toEqual([next]);
  });

  /** Room for one of the key, that no agent could take up: the older of two types was woken. */
  const woken = (): { given: RouterScenario; urgent: string; first: string; other: string } => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 2 });
    const holder = given.task({ ...keyed(1), taskType: 'x' });
    const first = given.task({ ...keyed(1), taskType: 'x' });
    const other = given.task({ ...keyed(1), taskType: 'y' });
    given.task({ ...keyed(1), taskType: 'x' });
    expect(idsOf(given)).toEqual([holder]);
    const [urgent] = [1, 2].map(() => given.task({ priority: 'high' })) as [string];
    given.route();
    given.completed(holder);
    given.route();
    return { given, urgent, first, other };
  };

  it('goes on to another task when the one that it was for is paused', () => {
    const { given, urgent, first, other } = woken();
    paused(given, { taskType: 'x' }).completed(urgent);

    expect(idsOf(given)).toEqual([other]);
    resumed(given, { taskType: 'x' }).completed(other);
    expect(idsOf(given)).toEqual([first]);
  });

  it('goes to the task that has become the most urgent meanwhile', () => {
    const { given, urgent, first, other } = woken();
    given.event('TaskReprioritised', other, { priority: 'high' }).completed(urgent);

    expect(idsOf(given)).toEqual([other]);
    given.completed(other);
    expect(idsOf(given)).toEqual([first]);
  });

  it('goes to a more urgent task that has come meanwhile', () => {
    const { given, urgent } = woken();
    const last = given.task({ ...keyed(1), taskType: 'y', priority: 'high' });
    given.completed(urgent);

    expect(idsOf(given)).toEqual([last]);
  });

  it('goes to another task when that which it was for has become less urgent', () => {
    const { given, urgent, first, other } = woken();
    given.event('TaskReprioritised', first, { priority: 'low' }).completed(urgent);

    expect(idsOf(given)).toEqual([other]);
  });

  it('goes to the oldest when that which it was for is cancelled', () => {
    const { given, urgent, first, other } = woken();
    given.event('TaskCancelled', first, {}).completed(urgent);

    expect(idsOf(given)).toEqual([other]);
  });
});

describe('pauses, priorities and limits together', () => {
  it('leave the order of those that can go as it is', () => {
    const task = fc.record({
      taskType: fc.constantFrom('x', 'y', 'z'),
      priority: fc.constantFrom<Priority>('low', 'medium', 'high'),
      limited: fc.boolean(),
      partition: fc.integer({ min: 0, max: 1 }),
    });
    const step = fc.record({
      create: fc.array(task, { maxLength: 4 }),
      end: fc.array(fc.record({ pick: fc.nat(), how: fc.nat({ max: 3 }) }), { maxLength: 3 }),
      rank: fc.option(fc.record({ pick: fc.nat(), to: fc.constantFrom<Priority>('low', 'high') })),
      pause: fc.option(fc.constantFrom({}, { taskType: 'x' }, { taskType: 'y' })),
      resume: fc.boolean(),
    });
    const all = fc.array(step, { minLength: 10, maxLength: 40 });
    const [one, two] = [fc.constantFrom(1, 2), fc.constantFrom(2, 3)];
    const holds = fc.property(all, one, two, (steps, max, slots) => {
      const given = new RouterScenario().agent('a', { maxConcurrentTasks: slots });
      const { tasks, pauses, quotas } = given.state;
      for (const { create, end, rank, pause, resume } of steps) {
        for (const { limited, partition, ...data } of create) {
          given.task({ ...data, ...(limited ? keyed(max) : {}) }, partition);
        }
        for (const { pick, how } of end) {
          const one = [...tasks.values()][pick % Math.max(1, tasks.size)];
          if (!one) continue;
          if (how === 0 && one.hold) given.completed(one.id);
          if (how === 1 && one.hold) given.released(one.id, false);
          if (how === 2) expired(given, one.id);
          if (how === 3) given.event('TaskCancelled', one.id, {});
        }
        const moved = rank && [...tasks.values()][rank.pick % Math.max(1, tasks.size)];
        if (moved) given.event('TaskReprioritised', moved.id, { priority: rank.to });
        if (pause) (resume ? resumed : paused)(given, pause);
        const proposals = given.route();
        const waiting = [...tasks.values()].filter(
          ({ status, project, taskType }) => status === 'pending' && !pauses.of(project, taskType),
        );
        for (const { task: taken } of proposals) {
          expect(pauses.of(taken.project, taken.taskType)).toBeNull();
          for (const { rank: other, born, terms } of waiting) {
            // Those without a key go on where those with one have to wait.
            if (terms && !taken.terms) continue;
            expect(taken.rank).toBeLessThanOrEqual(other);
            if (taken.rank === other) expect(taken.born).toBeLessThan(born);
          }
        }
        if (given.agentOf('a').free > 0) {
          for (const { terms } of waiting)
            expect(terms?.concurrency?.room()).toBeLessThanOrEqual(0);
        }
        const held = [...tasks.values()].filter(({ hold, terms }) => hold && terms).length;
        for (const { running: count } of quotas.concurrencies.values()) expect(count).toBe(held);
      }
    });
    fc.assert(holds, { numRuns: 300 });
  });

  it('cost a pause no more for many tasks than for few, also of those that wait for a limit', () => {
    const moves = (waiting: number): number => {
      const given = new RouterScenario().agent('a', large);
      for (let n = 0; n < waiting; n++) given.task(keyed(1));
      given.route();
      const adds = jest.spyOn(Heap.prototype, 'add');
      const moved = jest.spyOn(Heap.prototype, 'moved');
      paused(given);
      given.pass();
      resumed(given);
      given.pass();
      const count = adds.mock.calls.length + moved.mock.calls.length;
      adds.mockRestore();
      moved.mockRestore();
      return count;
    };

    expect(moves(5_000)).toBe(moves(5));
  });
});
