import { describe, expect, it } from '@jest/globals';
import type { ClaimedTask } from '@athena/contracts';
import fc from 'fast-check';
import { CLAIMS_PER_AGENT_MAX, CLAIM_BYTES_MAX } from './claim-book.js';
import { RouterScenario, pairsOf } from './router.scenario.js';
import type { Proposal } from './task.js';

const claimed = ({ task }: Proposal): ClaimedTask => ({
  taskId: task.id,
  attempt: 1,
  lease: '0.1.0',
  leaseUntil: '2026-01-01T00:00:30Z',
  content: null,
  taskType: 'work',
  priority: 'medium',
  requirements: [],
  metadata: null,
});

const place = (given: RouterScenario, proposals: readonly Proposal[]): void => {
  for (const proposal of proposals) {
    given.assigned(proposal);
    if (proposal.claim) given.claims.resolve(proposal.claim, claimed(proposal), given.now);
  }
};
const answered = ({ answers }: RouterScenario): [string, string[]][] =>
  answers.map(({ claimId, answer }) => [claimId, answer.tasks.map(({ taskId }) => taskId)]);

const claiming = (maxConcurrentTasks = 5): RouterScenario =>
  new RouterScenario().agent('a', { mode: 'claim', maxConcurrentTasks });

describe('an agent that claims', () => {
  it('is given nothing without an open claim', () => {
    const given = claiming();
    given.task();

    expect(given.pass()).toEqual([]);
  });

  it('is answered once all that one pass placed for it is decided', () => {
    const given = claiming().claim('a', 'c1', 3);
    const [one, two] = [given.task(), given.task()];
    const [first, second] = given.pass();

    place(given, [first as Proposal]);
    expect(answered(given)).toEqual([]);
    place(given, [second as Proposal]);
    expect(answered(given)).toEqual([['c1', [one, two]]]);
    given.task();
    expect(given.pass()).toEqual([]);
  });

  it('has the credits of all of its claims, the oldest used first, up to its maximum', () => {
    const given = claiming(4).claim('a', 'c1', 3).claim('a', 'c2', 3);
    const tasks = [1, 2, 3, 4, 5].map(() => given.task());

    place(given, given.pass());

    expect(answered(given)).toEqual([
      ['c1', tasks.slice(0, 3)],
      ['c2', tasks.slice(3, 4)],
    ]);
    expect(given.agentOf('a').active).toBe(4);
  });

  it('keeps its credits where what was proposed is refused', () => {
    const given = claiming().claim('a', 'c1', 2);
    const [task] = [given.task(), given.task()];
    given.event('TaskCancelled', task, {});
    for (const proposal of given.pass()) {
      given.claims.resolve(proposal.claim as NonNullable<Proposal['claim']>, null, given.now);
      given.state.tasks.settle(proposal);
    }

    expect(answered(given)).toEqual([]);
    expect(given.agentOf('a').credits).toBe(2);
    const again = given.pass();
    place(given, again);
    expect(answered(given)).toEqual([['c1', pairsOf(again).map(([id]) => id)]]);
  });

  it('waits no longer than it said, and then hears that there is nothing', () => {
    const given = claiming().claim('a', 'c1', 1, 500).claim('a', 'c2', 1, 100);
    given.claims.expire(given.now + 100);
    expect(answered(given)).toEqual([['c2', []]]);
    given.claims.expire(given.now + 500);
    expect(answered(given)).toEqual([
      ['c2', []],
      ['c1', []],
    ]);
    expect(given.agentOf('a').credits).toBe(0);
    given.task();
    expect(given.pass()).toEqual([]);
  });

  it('whose time is over while a placement is under way gets what was placed', () => {
    const given = claiming().claim('a', 'c1', 1, 100);
    const task = given.task();
    const proposals = given.pass();
    given.now += 200;
    given.claims.expire(given.now);
    expect(answered(given)).toEqual([]);

    place(given, proposals);
    expect(answered(given)).toEqual([['c1', [task]]]);
  });

  it('that repeats a parked claim has it once, answered where it asked last', () => {
    const given = claiming();
    const replies: string[] = [];
    const agent = given.agentOf('a');
    for (const reply of ['first', 'second']) {
      const claim = { claimId: 'c1', capacity: 2, until: given.now + 1_000 };
      given.claims.park(agent, { ...claim, reply: () => void replies.push(reply) }, given.now);
    }
    expect(agent.credits).toBe(2);
    expect(given.claims.size).toBe(1);
    expect(replies).toEqual(['first']);
  });

  it('parks a bounded number of claims', () => {
    const given = claiming(1_000);
    for (let n = 0; n <= CLAIMS_PER_AGENT_MAX; n++) given.claim('a', `c${n}`, 1);

    expect(given.claims.size).toBe(CLAIMS_PER_AGENT_MAX);
    expect(answered(given)).toEqual([['c0', []]]);
  });

  it('gets no more bytes at once than fit one answer', () => {
    const given = claiming(100).claim('a', 'c1', 100);
    for (let n = 0; n < 20; n++) {
      const task = given.taskOf(given.task());
      Object.assign(task, { bytes: CLAIM_BYTES_MAX / 8 });
    }
    expect(given.pass()).toHaveLength(8);
  });

  it('hears at once when its session ends, so that a living one asks again', () => {
    const given = claiming().claim('a', 'c1', 1);
    given.claims.flush(given.agentOf('a'));

    expect(answered(given)).toEqual([['c1', []]]);
    expect(given.claims.size).toBe(0);
  });
});

describe('whatever is claimed, placed, refused and finished', () => {
  const step = fc.oneof(
    fc.record({ claim: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ tasks: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ decide: fc.boolean() }),
    fc.record({ finish: fc.nat() }),
    fc.record({ passMs: fc.integer({ min: 1, max: 600 }) }),
  );

  it('no agent is over its maximum or its credits, and none is counted twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const given = claiming(3);
        const agent = given.agentOf('a');
        let under: Proposal[] = [];
        steps.forEach((each, n) => {
          if ('claim' in each) given.claim('a', `c${n}`, each.claim, 500);
          if ('tasks' in each) for (let t = 0; t < each.tasks; t++) given.task();
          if ('decide' in each) under = decide(given, under, each.decide);
          if ('finish' in each) finish(given, each.finish);
          if ('passMs' in each) given.claims.expire((given.now += each.passMs));
          under.push(...given.pass());

          const open = [...given.claims.claims()].filter((claim) => claim.open);
          expect(agent.credits).toBe(open.reduce((sum, claim) => sum + claim.capacity, 0));
          expect(agent.active).toBeLessThanOrEqual(agent.max);
          expect(agent.reserved).toBe(under.filter(({ settled }) => !settled).length);
        });
      }),
    );
  });

  function decide(given: RouterScenario, under: Proposal[], accept: boolean): Proposal[] {
    const [proposal, ...left] = under;
    if (!proposal) return under;
    if (accept) given.assigned(proposal);
    else given.state.tasks.settle(proposal);
    if (proposal.claim) {
      given.claims.resolve(proposal.claim, accept ? claimed(proposal) : null, given.now);
    }
    return left;
  }

  function finish(given: RouterScenario, pick: number): void {
    const held = [...given.agentOf('a').held];
    const task = held[pick % Math.max(1, held.length)];
    if (task) given.completed(task.id);
  }
});
