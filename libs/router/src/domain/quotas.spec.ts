import { describe, expect, it, jest } from '@jest/globals';
import type { TaskOptions } from '@athena/contracts';
import fc from 'fast-check';
import { Heap } from './heap.js';
import { choose } from './policy.js';
import { RouterScenario } from './router.scenario.js';
import { whyWaiting } from './why.js';

const keyed = (max: number, key = 'gpu') => ({ options: { concurrency: { key, max } } });
const paced = (limit: number, periodMs = 1_000, key = 'api') => ({
  options: { rateLimit: { key, limit, periodMs } },
});
const idsOf = (given: RouterScenario): string[] => given.route().map(({ task }) => task.id);
const why = (given: RouterScenario, id: string) =>
  whyWaiting(given.taskOf(id), given.state, given.now);
const large = { maxConcurrentTasks: 1_000 };
/** Of items in heaps, for one task that ends and one that is placed. */
const MOVES_MAX = 60;

describe('a concurrency key', () => {
  it('lets so many tasks be with agents at once, over all agents and partitions', () => {
    const given = new RouterScenario().agent('a', large).agent('b', large);
    const ids = [0, 1, 2, 0].map((partition) => given.task(keyed(2), partition));
    const free = given.task();

    expect(idsOf(given)).toEqual([ids[0], ids[1], free]);
    expect(idsOf(given)).toEqual([]);
    expect(why(given, ids[2]!)).toEqual({
      reason: 'concurrency_key',
      detail: 'concurrency key gpu: 2 with agents, of at most 2',
      limit: { key: 'gpu', max: 2, running: 2 },
    });
    given.completed(ids[0]!);
    expect(idsOf(given)).toEqual([ids[2]]);
    given.failed(ids[1]!);
    expect(idsOf(given)).toEqual([ids[3]]);
    given.event('TaskDue', ids[1]!, {});
    expect(idsOf(given)).toEqual([]);
    given.event('TaskCancelled', ids[2]!, {});
    expect(idsOf(given)).toEqual([ids[1]]);
  });

  it('counts proposals whose outcome is not known', () => {
    const given = new RouterScenario().agent('a');
    given.task(keyed(1));
    const second = given.task(keyed(1));
    const [proposal] = given.pass();

    expect(given.pass()).toEqual([]);
    expect(why(given, second).limit).toEqual({ key: 'gpu', max: 1, running: 1 });
    given.state.tasks.settle(proposal!);
    expect(given.pass()).toHaveLength(1);
  });

  it('is of one project, and as the newest task says', () => {
    const given = new RouterScenario().agent('a', large).agent('a', large, 'q');
    const first = given.task(keyed(1));
    const second = given.task(keyed(1));
    const elsewhere = given.task(keyed(1), 0, 'q');
    expect(idsOf(given).sort()).toEqual([first, elsewhere].sort());

    given.task(keyed(2));
    expect(idsOf(given)).toEqual([second]);
    const last = given.task(keyed(1));
    given.completed(first);
    expect(idsOf(given)).toEqual([]);
    expect(why(given, last).limit).toEqual({ key: 'gpu', max: 1, running: 1 });
  });

  it('gives its places to whoever can use them', () => {
    const given = new RouterScenario().agent('a', { ...large, capabilities: ['x'] });
    const nobody = given.task({ ...keyed(1), requirements: ['y'], priority: 'high' });
    const x = given.task({ ...keyed(1), requirements: ['x'] });
    const also = given.task(keyed(1));

    expect(idsOf(given)).toEqual([x]);
    expect(why(given, nobody).reason).toBe('no_capable_agent');
    given.completed(x);
    expect(idsOf(given)).toEqual([also]);
    given.completed(also).agent('b', { capabilities: ['y'] });
    expect(idsOf(given)).toEqual([nobody]);
  });

  it('gives them to fairness keys in turn', () => {
    const given = new RouterScenario().agent('a', large);
    const options = (fairnessKey: string): TaskOptions => ({
      fairnessKey,
      concurrency: { key: 'gpu', max: 2 },
    });
    for (let n = 0; n < 10; n++) given.task({ options: options('x') });
    for (let n = 0; n < 3; n++) given.task({ options: options('y') });
    const got: string[] = [];
    for (let n = 0; n < 6; n++) {
      for (const { task } of given.route()) {
        got.push(task.terms?.fairnessKey ?? '');
        given.completed(task.id);
      }
    }

    expect(got.slice(0, 6).sort().join('')).toBe('xxxyyy');
    expect(got.slice(6).join('')).toBe('xxxxxx');
  });

  it('is nobody’s any more when its last task is finished', () => {
    const given = new RouterScenario();
    given.event('TaskCancelled', given.task(keyed(1)), {});

    expect(given.state.quotas.concurrencies.size).toBe(0);
  });

  it('that 30,000 tasks wait for costs no more than one that few wait for', () => {
    const moves = (waiting: number): number => {
      const given = new RouterScenario().agent('a', large);
      for (let n = 0; n < waiting; n++) given.task(keyed(1));
      given.route();
      const adds = jest.spyOn(Heap.prototype, 'add');
      const moved = jest.spyOn(Heap.prototype, 'moved');
      for (let n = 0; n < 20; n++) {
        const free = given.task();
        expect(idsOf(given)).toEqual([free]);
        given.completed(free);
      }
      const [held] = [...given.agentOf('a').held];
      given.completed(held!.id);
      expect(given.route()).toHaveLength(1);
      const count = adds.mock.calls.length + moved.mock.calls.length;
      adds.mockRestore();
      moved.mockRestore();
      return count;
    };

    expect(moves(30_000)).toBeLessThanOrEqual(moves(10) + 10);
  });

  it('with room for one wakes one of the groups that wait for it', () => {
    const given = new RouterScenario().agent('a', large);
    const options = (n: number): TaskOptions => ({
      fairnessKey: `tenant ${n}`,
      concurrency: { key: 'gpu', max: 1 },
    });
    for (let n = 0; n < 1_000; n++) given.task({ options: options(n) });
    given.route();
    const adds = jest.spyOn(Heap.prototype, 'add');
    const moved = jest.spyOn(Heap.prototype, 'moved');
    for (let n = 0; n < 10; n++) {
      const [held] = [...given.agentOf('a').held];
      given.completed(held!.id);
      expect(given.route()).toHaveLength(1);
    }

    expect(adds.mock.calls.length + moved.mock.calls.length).toBeLessThanOrEqual(10 * MOVES_MAX);
    adds.mockRestore();
    moved.mockRestore();
  });
});

describe('a rate limit', () => {
  it('lets a burst through, then one whenever a token has come', () => {
    const given = new RouterScenario().agent('a', large);
    const ids = [1, 2, 3, 4, 5].map(() => given.task(paced(2)));
    const free = given.task();
    const start = given.now;

    expect(idsOf(given)).toEqual([ids[0], ids[1], free]);
    expect(why(given, ids[2]!)).toEqual({
      reason: 'rate_limited',
      detail: 'rate limit api: 2 in 1000 ms; the next may begin at 2026-01-01T00:00:00.500Z',
      limit: { key: 'api', limit: 2, periodMs: 1_000, nextAt: '2026-01-01T00:00:00.500Z' },
    });
    expect(given.state.quotas.nextAt).toBe(start + 500);
    given.now = start + 499;
    expect(idsOf(given)).toEqual([]);
    given.now = start + 500;
    expect(idsOf(given)).toEqual([ids[2]]);
    given.now = start + 5_000;
    expect(idsOf(given)).toEqual([ids[3], ids[4]]);
    expect(given.state.quotas.nextAt).toBeNull();
  });

  it('counts proposals whose outcome is not known, and gives back what was refused', () => {
    const given = new RouterScenario().agent('a');
    given.task(paced(1));
    given.task(paced(1));
    const [proposal] = given.pass();

    expect(given.pass()).toEqual([]);
    given.state.tasks.settle(proposal!);
    expect(given.pass()).toHaveLength(1);
  });

  it('is as the newest task says', () => {
    const given = new RouterScenario().agent('a', large);
    for (let n = 0; n < 4; n++) given.task(paced(1));
    given.route();
    given.task(paced(4));
    given.now += 500;
    expect(given.route()).toHaveLength(2);
    given.task(paced(1, 10_000));
    given.now += 4_000;
    expect(given.route()).toHaveLength(0);
  });

  it('is kept after its last task until its bucket is full', () => {
    const given = new RouterScenario().agent('a', large);
    const { rates } = given.state.quotas;
    const first = given.task(paced(1));
    given.route();
    given.completed(first);
    given.task(paced(1));
    expect(given.route()).toEqual([]);
    given.now += 1_000;
    given.route().forEach(({ task }) => given.completed(task.id));
    given.now += 1_000;
    given.task(paced(1, 1_000, 'another'));

    expect([...rates.values()].map(({ name }) => name)).toEqual(['another']);
  });

  it('lets no more through than burst and refill allow, and no task wait for a token there is', () => {
    const step = fc.record({
      create: fc.integer({ min: 0, max: 4 }),
      pass: fc.option(fc.integer({ min: 0, max: 3_000 })),
    });
    const holds = fc.property(
      fc.array(step, { minLength: 5, maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 7_000 }),
      (steps, limit, periodMs) => {
        const given = new RouterScenario().agent('a', large);
        const begun: number[] = [];
        let waiting = 0;
        for (const { create, pass } of steps) {
          for (let n = 0; n < create; n++) given.task(paced(limit, periodMs), n % 2);
          const expected = given.state.quotas.nextAt === given.now ? 1 : 0;
          const proposals = given.route();
          expect(proposals.length).toBeGreaterThanOrEqual(expected);
          waiting += create - proposals.length;
          for (const { task } of proposals) {
            begun.push(given.now);
            given.completed(task.id);
          }
          for (const [index, from] of begun.entries()) {
            const allowed = limit + ((given.now - from) * limit) / periodMs;
            expect(begun.length - index).toBeLessThanOrEqual(allowed + 1e-9);
          }
          const { nextAt } = given.state.quotas;
          expect(nextAt === null).toBe(waiting === 0);
          given.now = pass === null && nextAt !== null ? nextAt : given.now + (pass ?? 0);
        }
      },
    );
    fc.assert(holds, { numRuns: 150 });
  });
});

describe('limits of both kinds', () => {
  it('are never exceeded, and hold up no task that they have room for', () => {
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const options = fc.record({
      fairnessKey: optional(fc.constantFrom('f', 'g')),
      concurrency: optional(
        fc.constantFrom({ key: 'c', max: 2 }, { key: 'd', max: 1 }, { key: 'd', max: 3 }),
      ),
      rateLimit: optional(fc.constantFrom({ key: 'r', limit: 2, periodMs: 1_000 })),
    });
    const task = fc.record({
      options,
      requirements: fc.subarray(['x', 'y']),
      excludeAgents: fc.subarray(['a', 'b']),
      priority: fc.constantFrom('low' as const, 'high' as const),
      partition: fc.integer({ min: 0, max: 1 }),
    });
    const step = fc.record({
      create: fc.array(task, { maxLength: 4 }),
      finish: fc.array(fc.nat(), { maxLength: 3 }),
      pass: fc.integer({ min: 0, max: 900 }),
      closed: fc.constantFrom(null, null, 0, 1),
      limit: fc.constantFrom(1, 100),
    });
    const holds = fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
      const given = new RouterScenario()
        .agent('a', { capabilities: ['x', 'y'], maxConcurrentTasks: 3 })
        .agent('b', { capabilities: ['y'], maxConcurrentTasks: 2 });
      const { tasks, registrySeq } = given.state;
      for (const { create, finish, pass, closed, limit } of steps) {
        for (const { partition, options: some, ...data } of create) {
          given.task({ ...data, options: JSON.parse(JSON.stringify(some)) }, partition);
        }
        const held = [...tasks.values()].filter(({ hold }) => hold);
        for (const index of new Set(finish.map((n) => n % Math.max(1, held.length)))) {
          if (held[index]) given.completed(held[index].id);
        }
        for (const proposal of given.pass(limit, (partition) => partition !== closed)) {
          const { concurrency } = proposal.task.terms ?? {};
          if (concurrency) expect(concurrency.room()).toBeGreaterThanOrEqual(0);
          given.assigned(proposal);
        }
        for (const { status, partition, set, excluded, avoided, terms } of tasks.values()) {
          if (limit === 1 || partition === closed) continue;
          if (status !== 'pending' || terms?.spent(given.now)) continue;
          expect(choose({ members: set.members, excluded, avoided }, registrySeq)).toBeNull();
        }
        given.now += pass;
      }
    });
    fc.assert(holds, { numRuns: 200 });
  });

  it('hold together', () => {
    const given = new RouterScenario().agent('a', large);
    const { options: one } = keyed(2);
    const { options: other } = paced(3);
    const ids = [1, 2, 3, 4].map(() => given.task({ options: { ...one, ...other } }));

    expect(idsOf(given)).toEqual(ids.slice(0, 2));
    given.completed(ids[0]!).completed(ids[1]!);
    expect(idsOf(given)).toEqual(ids.slice(2, 3));
    expect(why(given, ids[3]!).reason).toBe('rate_limited');
    given.now += 1_000;
    expect(idsOf(given)).toEqual(ids.slice(3));
  });

  it('let nothing through until no earlier router can bring about assignments', () => {
    const given = new RouterScenario().agent('a', large);
    const limited = [given.task(keyed(1)), given.task(paced(1))];
    const free = given.task();
    given.state.quotas.shut();

    expect(idsOf(given)).toEqual([free]);
    given.state.quotas.unshut();
    expect(idsOf(given)).toEqual(limited);
  });
});
