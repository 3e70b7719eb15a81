import { describe, expect, it } from '@jest/globals';
import { limits } from '@athena/contracts';
import fc from 'fast-check';
import { choose, rank, scoreOf } from './policy.js';
import { RouterScenario, pairsOf } from './router.scenario.js';

describe('the base policy', () => {
  it('chooses the highest successRate × (1 − utilisation)', () => {
    const given = new RouterScenario().agent('steady').agent('shaky');
    given.event('PerformanceReported', 'shaky', report('shaky', true));
    given.event('PerformanceReported', 'shaky', report('shaky', false));

    given.task();
    const [proposal] = given.route();

    expect(proposal?.agent.agentId).toBe('steady');
    expect(proposal?.decision).toMatchObject({
      policy: 'base@1',
      considered: 2,
      probability: 1,
      registrySeq: 4,
      candidates: [
        { agentId: 'steady', score: 1, successRate: 1, utilisation: 0 },
        { agentId: 'shaky', score: 0.5, successRate: 0.5, utilisation: 0 },
      ],
      reason: 'steady scores highest (1) of 2 candidates',
    });
  });

  it('counts load as (assigned + running + reserved) ÷ max, so that work spreads', () => {
    const given = new RouterScenario()
      .agent('large', { maxConcurrentTasks: 4 })
      .agent('small', { maxConcurrentTasks: 2 });
    for (let n = 0; n < 6; n++) given.task();

    const got = pairsOf(given.pass()).map(([, agent]) => agent);

    expect(got).toEqual(['large', 'small', 'large', 'small', 'large', 'large']);
    expect(given.agentOf('small').utilisation).toBe(1);
  });

  it('lets equals take turns, then goes by id', () => {
    const given = new RouterScenario().agent('b').agent('a').agent('c');
    const turns: string[] = [];
    for (let n = 0; n < 4; n++) {
      const task = given.task();
      turns.push(...given.route().map(({ agent }) => agent.agentId));
      given.completed(task);
    }
    expect(turns).toEqual(['a', 'b', 'c', 'a']);
  });

  it('records the best of all it considered', () => {
    const given = new RouterScenario();
    for (let n = 0; n < 25; n++) given.agent(`agent-${n}`, { maxConcurrentTasks: n + 1 });
    given.task();

    const [proposal] = given.route();

    expect(proposal?.decision.considered).toBe(25);
    expect(proposal?.decision.candidates).toHaveLength(limits.DECISION_CANDIDATES_MAX);
  });

  it('shares the record among all instances of a kind', () => {
    const given = new RouterScenario()
      .agent('pod-1', { kind: 'writer' })
      .agent('pod-2', { kind: 'writer' })
      .agent('other');
    const task = given.task({ excludeAgents: ['pod-2', 'other'] });
    given.route();
    given.failed(task);

    expect(given.agentOf('pod-2').kind.successRate).toBe(0);
    expect(given.agentOf('other').kind.successRate).toBe(1);
  });

  it('counts no failure for an attempt that was lost', () => {
    const given = new RouterScenario().agent('a');
    const task = given.task();
    given.route();
    const outcome = { agentId: 'a', kind: 'a', attempt: 1, durationMs: 1 };
    const error = { message: 'agent a vanished' };
    given.event('TaskFailed', task, { ...outcome, error, deadLettered: true, lost: true });

    expect(given.agentOf('a').kind.successRate).toBe(1);
    expect(given.agentOf('a').active).toBe(0);
  });
});

const SKILLS = ['read', 'write', 'sum', 'plot'];
const skills = fc.subarray(SKILLS);
const fleet = fc.array(
  fc.record({
    capabilities: skills,
    max: fc.integer({ min: 1, max: 4 }),
    failures: fc.integer({ min: 0, max: 3 }),
    away: fc.boolean(),
    draining: fc.boolean(),
  }),
  { minLength: 1, maxLength: 8 },
);
const work = fc.array(
  fc.record({
    requirements: skills,
    priority: fc.constantFrom('low' as const, 'medium' as const, 'high' as const),
    excluded: fc.subarray(['a0', 'a1', 'a2']),
  }),
  { maxLength: 30 },
);
type Fleet = typeof fleet extends fc.Arbitrary<infer T> ? T : never;

function scenarioOf(agents: Fleet): RouterScenario {
  const given = new RouterScenario();
  agents.forEach(({ capabilities, max, failures, away, draining }, n) => {
    const id = `a${n}`;
    given.agent(id, { capabilities, maxConcurrentTasks: max });
    given.event('PerformanceReported', id, report(id, true));
    for (let f = 0; f < failures; f++) {
      given.event('PerformanceReported', id, report(id, false));
    }
    const { session } = given.agentOf(id);
    if (draining) given.event('AgentDraining', id, { session });
    if (away) given.gone(id);
  });
  return given;
}

const report = (kind: string, success: boolean) => ({ kind, success, durationMs: 5 });

describe('whatever the fleet and the work', () => {
  it('gives no task to anyone who lacks a skill, is excluded, away, draining or full', () => {
    fc.assert(
      fc.property(fleet, work, (agents, tasks) => {
        const given = scenarioOf(agents);
        for (const { excluded, ...task } of tasks) given.task({ ...task, excludeAgents: excluded });

        for (const { task, agent } of given.pass()) {
          expect([...agent.capabilities]).toEqual(
            expect.arrayContaining([...task.set.requirements]),
          );
          expect(task.excluded).not.toContain(agent.agentId);
          expect(agent.reachable).toBe(true);
          expect(agent.active).toBeLessThanOrEqual(agent.max);
        }
      }),
    );
  });

  it('leaves no task waiting that someone could take', () => {
    fc.assert(
      fc.property(fleet, work, (agents, tasks) => {
        const given = scenarioOf(agents);
        const ids = tasks.map(({ excluded, ...task }) =>
          given.task({ ...task, excludeAgents: excluded }),
        );
        given.pass();

        for (const id of ids) {
          const { proposal, set, excluded } = given.taskOf(id);
          const pool = { members: set.members, excluded, avoided: [] };
          if (!proposal) expect(choose(pool, 0)).toBeNull();
        }
      }),
    );
  });

  it('chooses nobody while someone scores higher', () => {
    fc.assert(
      fc.property(fleet, skills, (agents, requirements) => {
        const given = scenarioOf(agents);
        const members = given.state.fleet.capable('p', requirements);
        const choice = choose({ members, excluded: [], avoided: [] }, 0);
        const scores = members
          .filter(({ free }) => free > 0)
          .map(({ kind, utilisation }) => scoreOf(kind.successRate, utilisation));

        expect(choice?.decision.candidates[0]?.score ?? null).toBe(
          scores.length > 0 ? Math.max(...scores) : null,
        );
      }),
    );
  });

  it('decides the same for the same history, in whatever order agents are listed', () => {
    fc.assert(
      fc.property(fleet, work, (agents, tasks) => {
        const decide = (): unknown => {
          const given = scenarioOf(agents);
          for (const { excluded: excludeAgents, ...task } of tasks) {
            given.task({ ...task, excludeAgents });
          }
          return given.pass().map(({ task, agent, decision }) => [task.id, agent.key, decision]);
        };
        expect(decide()).toEqual(decide());

        const { fleet: folded } = scenarioOf(agents).state;
        const members = folded.capable('p', []);
        const ranked = (pool: typeof members) =>
          rank({ members: pool, excluded: [], avoided: [] }, 10).best.map(({ agent }) => agent.key);
        expect(ranked([...members].reverse())).toEqual(ranked(members));
      }),
    );
  });
});
