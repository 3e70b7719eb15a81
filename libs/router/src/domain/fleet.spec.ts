import { limits } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import { IDLE_SETS_MAX } from './fleet.js';
import { RouterScenario } from './router.scenario.js';

describe('the fleet', () => {
  it('finds those who have all of some capabilities, and what nobody has', () => {
    const given = new RouterScenario()
      .agent('a', { capabilities: ['read', 'write'] })
      .agent('b', { capabilities: ['read'] });
    const { fleet } = given.state;
    const capable = (...requirements: string[]): string[] =>
      fleet.capable('p', requirements).map(({ agentId }) => agentId);

    expect(capable()).toEqual(['a', 'b']);
    expect(capable('read')).toEqual(['a', 'b']);
    expect(capable('read', 'write')).toEqual(['a']);
    expect(capable('fly')).toEqual([]);
    expect(fleet.missing('p', ['read', 'fly'])).toEqual(['fly']);
    expect(fleet.capable('other', [])).toEqual([]);
  });

  it('keeps nothing of an agent that left, once its work is back', () => {
    const given = new RouterScenario().agent('a');
    const task = given.task();
    given.route();
    given.gone('a', 'deregistered');
    given.event('AgentDeregistered', 'a', { session: 1 });
    expect(given.agentOf('a').registered).toBe(false);

    given.released(task, false);
    expect([...given.state.fleet.agents()]).toEqual([]);
    expect(given.state.fleet.missing('p', [])).toEqual([]);
  });

  it('knows who is there in every requirement set, whatever comes and goes', () => {
    const given = new RouterScenario().agent('a', { capabilities: ['x'] });
    const { set } = given.taskOf(given.task({ requirements: ['x', 'x'] }));
    const look = (): unknown => [set.members.map(({ agentId }) => agentId), set.available];

    expect(look()).toEqual([['a'], 1]);
    given.agent('b', { capabilities: ['y', 'x'] });
    expect(look()).toEqual([['a', 'b'], 2]);
    given.gone('a').event('AgentDraining', 'b', { session: 2 });
    expect(look()).toEqual([['a', 'b'], 0]);
    given.agent('a', { capabilities: [], session: 9 });
    expect(look()).toEqual([['b'], 0]);
    given.agent('b', { capabilities: ['x'], session: 10 });
    expect(look()).toEqual([['b'], 1]);
  });

  it('remembers a bounded number of requirement sets that no task refers to', () => {
    const given = new RouterScenario().agent('a', { capabilities: ['c0'] });
    for (let n = 0; n < IDLE_SETS_MAX + 10; n++) {
      given.event('TaskCancelled', given.task({ requirements: [`c${n}`] }), {});
    }
    expect([...given.state.fleet.sets('p')]).toHaveLength(IDLE_SETS_MAX);
    expect(given.agentOf('a').sets.size).toBe(0);
  });

  it('remembers a bounded number of cancellations for an agent that never asks', () => {
    const { CANCELLED_KEPT_MAX } = limits;
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 10_000 });
    const tasks = Array.from({ length: CANCELLED_KEPT_MAX + 1 }, () => given.task());
    for (let routed = 1; routed > 0;) routed = given.route().length;
    for (const task of tasks) given.event('TaskCancelled', task, {});

    expect(given.agentOf('a').cancelled.map(({ taskId }) => taskId)).toEqual(tasks.slice(1));
    given.gone('a');
    expect(given.agentOf('a').cancelled).toEqual([]);
  });
});
