import { describe, expect, it } from '@jest/globals';
import { limits, type Priority } from '@athena/contracts';
import fc from 'fast-check';
import { Ageing } from './ageing.js';
import { RouterScenario } from './router.scenario.js';
import type { Task } from './task.js';
import { whyWaiting } from './why.js';

const { AGEING_MS } = limits;
/** Tasks age by the second. */
const SLICE_MS = 1_000;

const namesOf = (given: RouterScenario, names: Map<string, string>, limit?: number): string[] =>
  given.pass(limit).map(({ task }) => names.get(task.id) as string);

/** Whatever agents have is finished, and something else is given to them. */
function turn(given: RouterScenario): Task[] {
  for (const { held } of given.state.fleet.agents()) {
    for (const { id } of [...held]) given.completed(id);
  }
  return given.route().map(({ task }) => task);
}

describe('a task that waits long', () => {
  const aged = (waitedMs: number, from: Priority): string[] => {
    const given = new RouterScenario();
    const names = new Map<string, string>([[given.task({ priority: from }), from]]);
    given.now += waitedMs;
    names.set(given.task({ priority: 'medium' }), 'new medium');
    names.set(given.task({ priority: 'high' }), 'new high');
    given.agent('a');
    return namesOf(given, names);
  };

  it('counts as of the next higher class, then of the one after that', () => {
    expect(aged(AGEING_MS - SLICE_MS, 'low')).toEqual(['new high', 'new medium', 'low']);
    expect(aged(AGEING_MS, 'low')).toEqual(['new high', 'low', 'new medium']);
    expect(aged(2 * AGEING_MS, 'low')).toEqual(['low', 'new high', 'new medium']);
    expect(aged(AGEING_MS, 'medium')).toEqual(['medium', 'new high', 'new medium']);
  });

  it('says so', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1 });
    given.task();
    given.route();
    const task = given.task({ priority: 'low' });
    given.now += 2 * AGEING_MS;
    given.pass();

    expect(whyWaiting(given.taskOf(task), given.state, given.now).detail).toMatch(
      /it waited long and counts as high$/,
    );
  });

  it('has not waited while it was not ready', () => {
    const given = new RouterScenario();
    const later = given.task({ priority: 'low', runAt: '2026-01-01T12:00:00Z' });
    given.now += 12 * 3_600_000;
    given.event('TaskDue', later, {});
    const medium = given.task();
    given.agent('a');

    expect(given.pass().map(({ task }) => task.id)).toEqual([medium, later]);
  });

  it('waits after that only for older ones, whatever else arrives', () => {
    const arrivals = fc.array(fc.constantFrom<Priority>('low', 'medium', 'high'), {
      minLength: 2,
      maxLength: 5,
    });
    const ticks = fc.array(arrivals, { minLength: 40, maxLength: 60 });
    const holds = fc.property(arrivals, ticks, fc.boolean(), (before, pattern, two) => {
      const slots = two ? 2 : 1;
      const given = new RouterScenario().agent('a', { maxConcurrentTasks: slots });
      for (const priority of before) given.task({ priority });
      const low = given.taskOf(given.task({ priority: 'low' }));
      const due = given.now + 2 * AGEING_MS + SLICE_MS;
      let turnsLeft = before.length / slots + 1;
      for (const priorities of pattern) {
        for (const priority of priorities) given.task({ priority });
        const taken = turn(given);
        if (low.status !== 'pending') return;
        if (given.now >= due) {
          for (const { born } of taken) expect(born).toBeLessThan(low.born);
          expect(--turnsLeft).toBeGreaterThan(0);
        }
        given.now += AGEING_MS / 10;
      }
    });
    fc.assert(holds, { numRuns: 60 });
  });

  it('is looked at when it ages, and not otherwise', () => {
    const ageing = new Ageing();
    const given = new RouterScenario();
    const tasks = Array.from({ length: 1_000 }, () => given.taskOf(given.task()));
    for (const task of tasks) ageing.add(task);
    let looks = 0;
    for (let now = given.now; now < given.now + 3 * AGEING_MS; now += SLICE_MS / 2) {
      for (const task of ageing.aged(now)) {
        looks++;
        ageing.remove(task);
        ageing.add(task);
      }
    }

    expect(looks).toBe(tasks.length);
    expect(tasks.every(({ agedRank }) => agedRank === 0)).toBe(true);
  });
});

const under = (fairnessKey: string) => ({ options: { fairnessKey } });

describe('fairness keys of a project', () => {
  it('take turns, however many tasks one has and however early', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1 });
    const names = new Map<string, string>();
    for (let n = 0; n < 50; n++) names.set(given.task(under('crowd')), 'crowd');
    for (let n = 0; n < 3; n++) names.set(given.task(under('one')), 'one');
    for (let n = 0; n < 3; n++) names.set(given.task(), 'none');

    const turns = Array.from({ length: 12 }, () => names.get(turn(given)[0]?.id ?? ''));
    const counts = (from: number, to: number) =>
      ['crowd', 'one', 'none'].map((key) => turns.slice(from, to).filter((k) => k === key).length);
    expect(counts(0, 9)).toEqual([3, 3, 3]);
    expect(counts(9, 12)).toEqual([3, 0, 0]);
  });

  it('are told of by why', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1 });
    for (const key of ['x', 'y', 'z']) given.task(under(key));
    given.route();
    const last = given.task(under('z'));

    expect(whyWaiting(given.taskOf(last), given.state, given.now).detail).toMatch(
      /; tasks of 2 fairness keys take turns$/,
    );
  });

  it('take turns inside a class only', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1 });
    const first = [1, 2, 3].map(() => given.task({ ...under('x'), priority: 'high' }));
    const other = given.task(under('y'));

    expect([1, 2, 3, 4].map(() => turn(given)[0]?.id)).toEqual([...first, other]);
  });

  it('get equal shares over time while they wait, across requirements and partitions', () => {
    const keys = ['k0', 'k1', 'k2'];
    const task = fc.record({
      key: fc.constantFrom(...keys),
      partition: fc.integer({ min: 0, max: 2 }),
      requirements: fc.subarray(['x', 'y']),
    });
    const holds = fc.property(fc.array(task, { minLength: 30, maxLength: 90 }), (tasks) => {
      const given = new RouterScenario();
      given.agent('a', { maxConcurrentTasks: 1, capabilities: ['x', 'y'] });
      const waiting = new Map(keys.map((key) => [key, 0]));
      for (const { key, partition, requirements } of tasks) {
        given.task({ ...under(key), requirements }, partition);
        waiting.set(key, (waiting.get(key) as number) + 1);
      }
      const taken = new Map(keys.map((key) => [key, 0]));
      for (let n = 0; n < tasks.length && [...waiting.values()].every((left) => left > 0); n++) {
        const key = turn(given)[0]?.terms?.fairnessKey ?? '';
        taken.set(key, (taken.get(key) ?? 0) + 1);
        waiting.set(key, (waiting.get(key) ?? 0) - 1);
        const counts = [...taken.values()];
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }
    });
    fc.assert(holds, { numRuns: 100 });
  });

  it('are not starved by keys that are ever new', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1 });
    const old = [1, 2, 3, 4].map(() => given.task(under('old')));
    let fresh = 0;
    for (let n = 0; n < 20; n++) {
      for (let m = 0; m < 2; m++) given.task(under(`fresh ${fresh++}`));
      turn(given);
    }

    expect(old.filter((id) => given.state.tasks.get(id)).length).toBeLessThanOrEqual(1);
  });

  it('are forgotten when nobody waits under them', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1_000 });
    const [one] = [given.task(under('k')), given.task(under('k'))];
    const { project } = given.taskOf(one).group!;
    const turnOfKey = project.of('k');
    given.route();

    expect(turnOfKey.lines.size).toBe(0);
    expect(project.of('k')).not.toBe(turnOfKey);
  });
});

describe('projects', () => {
  const crowded = (weights: Record<string, number> = {}): RouterScenario => {
    const given = new RouterScenario();
    given.state.backlog.weigh(new Map(Object.entries(weights)));
    for (const project of ['p', 'q', 'r']) {
      given.agent('a', { maxConcurrentTasks: 1_000 }, project);
    }
    for (let n = 0; n < 200; n++) given.task({ priority: 'high' }, n % 2, 'p');
    for (let n = 0; n < 100; n++) given.task({}, n % 2, 'q');
    for (let n = 0; n < 100; n++) given.task({ priority: 'low' }, n % 2, 'r');
    return given;
  };
  const shares = (given: RouterScenario): number[] => {
    const projects = given.pass(60).map(({ task }) => task.project);
    return ['p', 'q', 'r'].map((id) => projects.filter((project) => project === id).length);
  };

  it('share each pass equally, whatever the priorities of their tasks', () => {
    const given = crowded();
    expect([shares(given), shares(given)]).toEqual([
      [20, 20, 20],
      [20, 20, 20],
    ]);
  });

  it('share it by weight', () => {
    expect(shares(crowded({ p: 3, r: 2 }))).toEqual([30, 10, 20]);
  });
});
