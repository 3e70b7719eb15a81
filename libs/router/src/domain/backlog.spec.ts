import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Heap, type Slotted } from './heap.js';
import { RouterScenario, pairsOf } from './router.scenario.js';

const idsOf = (scenario: RouterScenario, limit?: number): string[] =>
  pairsOf(scenario.pass(limit)).map(([task]) => task);

describe('waiting tasks', () => {
  it('go strictly by priority, then the oldest first, across different requirements', () => {
    const given = new RouterScenario().agent('a', {
      capabilities: ['x', 'y'],
      maxConcurrentTasks: 10,
    });
    const low = given.task({ priority: 'low', requirements: ['x'] });
    const first = given.task({ requirements: ['y'] });
    const second = given.task({ requirements: ['x'] });
    const third = given.task({ requirements: ['y', 'x'] });
    const high = given.task({ priority: 'high' });

    expect(idsOf(given)).toEqual([high, first, second, third, low]);
  });

  it('keep their age when they come back', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1 }).agent('b');
    const oldest = given.task({ excludeAgents: ['b'] });
    given.route();
    const [younger, youngest] = [given.task(), given.task()];
    given.gone('b').gone('a').released(oldest, false);
    given.event('AgentReturned', 'a', { session: 100 });

    expect(idsOf(given)).toEqual([oldest]);
    given.agent('c');
    expect(idsOf(given)).toEqual([younger, youngest]);
  });

  it('wait for their dependencies, all of them', () => {
    const given = new RouterScenario().agent('a');
    const [one, two] = [given.task({ autoRoute: false }), given.task({ autoRoute: false })];
    const dependent = given.task({ dependencies: [one, two], waitsFor: [one, two] });

    expect(idsOf(given)).toEqual([]);
    given.event('DependencyCompleted', dependent, { dependency: two });
    expect(idsOf(given)).toEqual([]);
    given.event('DependencyCompleted', dependent, { dependency: one });
    expect(idsOf(given)).toEqual([dependent]);
  });

  it('wait for their planned time and for the end of a backoff', () => {
    const given = new RouterScenario().agent('a');
    const planned = given.task({ runAt: '2026-01-01T00:01:00Z' });
    const failing = given.task();
    given.route();
    given.failed(failing);

    expect(idsOf(given)).toEqual([]);
    expect(given.state.tasks.tallies('p')).toMatchObject({ scheduled: 1, backoff: 1 });
    given.event('TaskDue', failing, {}).event('TaskDue', planned, {});
    expect(idsOf(given)).toEqual([planned, failing]);
    expect(given.state.tasks.tallies('p')).toMatchObject({ scheduled: 0, backoff: 0 });
  });

  it('are not offered while they are blocked, cancelled, expired or routed by hand', () => {
    const given = new RouterScenario().agent('a');
    const [blocked, cancelled, expired] = [given.task(), given.task(), given.task()];
    given.task({ autoRoute: false });
    given.event('TaskBlocked', blocked, { dependency: cancelled, cause: cancelled });
    given.event('TaskCancelled', cancelled, {});
    const error = { message: 'late' };
    given.event('TaskExpired', expired, { reason: 'deadline', error, deadLettered: false });

    expect(idsOf(given)).toEqual([]);
    expect(given.state.backlog.size).toBe(0);
  });

  it('are offered again with all they asked for when they are redriven', () => {
    const given = new RouterScenario().agent('a', { capabilities: ['x'] }).agent('b');
    const task = given.task({ requirements: ['x'] });
    given.event('TaskCancelled', task, {});
    expect(idsOf(given)).toEqual([]);
    given.redriven(task, { requirements: ['x'], priority: 'high', excludeAgents: ['b'] });
    const other = given.task({ requirements: ['x'] });
    expect(given.state.tasks.get(task)).toMatchObject({ rank: 0, excluded: ['b'] });
    expect(idsOf(given)).toEqual([task, other]);
  });

  it('wait again for a dependency that runs again, unless another one blocks them', () => {
    const given = new RouterScenario().agent('a');
    const [one, two] = [given.task({ autoRoute: false }), given.task({ autoRoute: false })];
    const task = given.task({ waitsFor: [one, two] });
    for (const dependency of [one, two]) {
      given.event('TaskBlocked', task, { dependency, cause: dependency });
    }
    given.event('DependencyReopened', task, { dependency: one, cause: two });
    expect(given.state.tasks.get(task)?.status).toBe('blocked');
    given.event('DependencyReopened', task, { dependency: two });
    expect(given.state.tasks.get(task)).toMatchObject({ status: 'pending', waits: 'dependencies' });
    for (const dependency of [one, two]) given.event('DependencyCompleted', task, { dependency });
    expect(idsOf(given)).toEqual([task]);
  });

  it('of a partition that takes no proposals stand in nobody’s way', () => {
    const given = new RouterScenario().agent('a');
    const elsewhere = given.task({ priority: 'high' }, 1);
    const here = given.task();
    const onlyHere = (partition: number): boolean => partition === 0;

    expect(pairsOf(given.pass(10, onlyHere)).map(([task]) => task)).toEqual([here]);
    expect(idsOf(given)).toEqual([elsewhere]);
  });

  it('that nobody can take are looked at again when somebody comes, and not before', () => {
    const given = new RouterScenario();
    const tasks = [1, 2, 3].map(() => given.task({ requirements: ['x'] }));
    expect(idsOf(given)).toEqual([]);
    expect(given.state.backlog.next(() => true)).toBeUndefined();

    given.agent('a', { capabilities: ['x'], maxConcurrentTasks: 2 });
    expect(idsOf(given)).toEqual(tasks.slice(0, 2));
    given.event('AgentRegistered', 'b', {
      session: 50,
      kind: 'b',
      capabilities: [],
      maxConcurrentTasks: 1,
      mode: 'poll',
    });
    given.event('CapabilityLearned', 'b', { capability: 'x', provenance: 'manual', confidence: 1 });
    expect(idsOf(given)).toEqual(tasks.slice(2));
  });

  it('of one signature are never overtaken by a lower priority or a younger task', () => {
    const priorities = fc.array(
      fc.constantFrom('low' as const, 'medium' as const, 'high' as const),
    );
    fc.assert(
      fc.property(priorities, fc.integer({ min: 1, max: 5 }), (wanted, atATime) => {
        const given = new RouterScenario().agent('a', { maxConcurrentTasks: 10_000 });
        const ranks = new Map(wanted.map((priority) => [given.task({ priority }), priority]));
        const got: string[] = [];
        for (let ids = idsOf(given, atATime); ids.length > 0; ids = idsOf(given, atATime)) {
          got.push(...ids);
        }
        const expected = (['high', 'medium', 'low'] as const).flatMap((priority) =>
          [...ranks].filter(([, each]) => each === priority).map(([id]) => id),
        );
        expect(got).toEqual(expected);
      }),
    );
  });
});

describe('kept away', () => {
  const lost = (): { given: RouterScenario; task: string } => {
    const given = new RouterScenario().agent('a');
    const task = given.task();
    given.route();
    given.gone('a').released(task, true);
    return { given, task };
  };

  it('is an agent from a task that it vanished with, while somebody else is present', () => {
    const { given, task } = lost();
    given.agent('b', { maxConcurrentTasks: 1 });
    given.event('AgentReturned', 'a', { session: 100 });
    const filler = given.task({ excludeAgents: ['a'] });

    expect(pairsOf(given.route())).toEqual([[task, 'b']]);
    given.gone('b').released(task, false);
    expect(pairsOf(given.route())).toEqual([[task, 'a']]);
    expect(given.taskOf(filler).hold).toBeNull();
  });

  it('is nobody any more once it has registered anew', () => {
    const { given, task } = lost();
    given.agent('b').agent('a', { session: 100 });
    given.event('AgentDraining', 'b', { session: 1 });

    expect(given.taskOf(task).avoided).toEqual([]);
    expect(pairsOf(given.route())).toEqual([[task, 'a']]);
  });

  it('that was drained is given work again once it is resumed', () => {
    const given = new RouterScenario().agent('a').event('AgentDraining', 'a', { session: 1 });
    const task = given.task();
    expect(given.route()).toEqual([]);
    given.event('AgentResumed', 'a', { session: 1 });

    expect(pairsOf(given.route())).toEqual([[task, 'a']]);
  });

  it('is nobody whose late release comes after it has registered anew', () => {
    const given = new RouterScenario().agent('a').agent('b', { capabilities: [] });
    const task = given.task({ excludeAgents: ['b'] });
    given.route();
    given.gone('a').agent('a', { session: 100 }).released(task, true);

    expect(given.taskOf(task).avoided).toEqual([]);
  });

  it('is for good whoever the task excludes, also when nobody else is there', () => {
    const given = new RouterScenario().agent('a');
    given.task({ excludeAgents: ['a'] });

    expect(given.pass()).toEqual([]);
  });
});

describe('an assignment that comes after its session has ended', () => {
  it('is to be released, as the session’s other work', () => {
    const given = new RouterScenario().agent('a');
    given.task();
    const proposals = given.pass();
    given.gone('a', 'disconnected');
    expect(given.state.takeConsequences()).toMatchObject([
      { kind: 'session-ended', session: 1, exclude: true, source: '3.0' },
      { kind: 'incarnation-ended' },
    ]);

    for (const proposal of proposals) given.assigned(proposal);

    expect(given.state.takeConsequences()).toMatchObject([
      { kind: 'assigned' },
      { kind: 'session-ended', session: 1, exclude: true, source: '4.0' },
    ]);
  });
});

describe('a heap', () => {
  interface Item extends Slotted {
    value: number;
  }
  it('gives its items in order, whatever was added, moved and removed', () => {
    const change = fc.record({
      add: fc.integer(),
      drop: fc.nat(),
      move: fc.nat(),
      to: fc.integer(),
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const heap = new Heap<Item>((a, b) => a.value < b.value);
        const items: Item[] = [];
        changes.forEach(({ add, drop, move, to }, n) => {
          const item = { value: add, slot: -1 };
          items.push(item);
          heap.add(item);
          const moved = items[move % items.length] as Item;
          moved.value = to;
          heap.moved(moved);
          if (n % 3 === 0) heap.remove(items.splice(drop % items.length, 1)[0] as Item);
        });
        const got: number[] = [];
        for (let { first } = heap; first; first = heap.first) {
          got.push(first.value);
          heap.remove(first);
        }
        expect(got).toEqual(items.map(({ value }) => value).sort((a, b) => a - b));
      }),
    );
  });
});
