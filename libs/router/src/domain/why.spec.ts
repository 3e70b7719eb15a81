import { describe, expect, it } from '@jest/globals';
import { RouterScenario } from './router.scenario.js';
import { whyWaiting } from './why.js';

const why = (given: RouterScenario, taskId: string): [string, string] => {
  const { reason, detail } = whyWaiting(given.taskOf(taskId), given.state, given.now);
  return [reason, detail];
};

describe('a task that is with nobody', () => {
  it('names the tasks that it depends on', () => {
    const given = new RouterScenario();
    const [one, two] = [given.task(), given.task()];
    const dependent = given.task({ dependencies: [one, two], waitsFor: [one, two] });

    expect(why(given, dependent)).toEqual(['dependencies', `waits for tasks ${one}, ${two}`]);
  });

  it('says until when it is planned or backs off', () => {
    const given = new RouterScenario().agent('a');
    const planned = given.task({ runAt: '2026-01-01T00:01:00.000Z' });
    const failing = given.task();
    given.route();
    given.failed(failing);

    expect(why(given, planned)).toEqual(['scheduled', 'is planned for 2026-01-01T00:01:00.000Z']);
    expect(why(given, failing)).toEqual([
      'backoff',
      'its last attempt failed; the next may begin at 2026-01-01T00:00:01.000Z',
    ]);
  });

  it('says that it is routed by hand only', () => {
    const given = new RouterScenario().agent('a');
    const task = given.task({ autoRoute: false });

    expect(why(given, task)[0]).toBe('manual');
  });

  it('names the capabilities that nobody has, or that nobody has together', () => {
    const given = new RouterScenario()
      .agent('a', { capabilities: ['read'] })
      .agent('b', { capabilities: ['write'] });
    const unknown = given.task({ requirements: ['read', 'fly', 'dig'] });
    const both = given.task({ requirements: ['read', 'write'] });

    expect(why(given, unknown)).toEqual(['no_capable_agent', 'no registered agent has dig, fly']);
    expect(why(given, both)).toEqual([
      'no_capable_agent',
      'no registered agent has all of read, write together',
    ]);
  });

  it('says that capable agents are away or draining', () => {
    const given = new RouterScenario().agent('a').agent('b').gone('a');
    given.event('AgentDraining', 'b', { session: 2 });
    const task = given.task();

    expect(why(given, task)).toEqual([
      'absent',
      'capable agents take no work now (1 away, 1 draining): a, b',
    ]);
  });

  it('says that the present ones are full or ask for nothing', () => {
    const given = new RouterScenario()
      .agent('busy', { maxConcurrentTasks: 1 })
      .agent('quiet', { mode: 'claim' });
    given.task();
    given.route();
    const task = given.task();

    expect(why(given, task)).toEqual([
      'agents_full',
      '2 capable agents are present: 1 at maxConcurrentTasks, 1 without an open claim',
    ]);
  });

  it('says that it excludes all who are capable', () => {
    const given = new RouterScenario().agent('a');
    const task = given.task({ excludeAgents: ['a'] });

    expect(why(given, task)).toEqual(['excluded', 'the task excludes all capable agents: a']);
  });

  it('says that only an agent that vanished with it has room', () => {
    const given = new RouterScenario().agent('a');
    const task = given.task();
    given.route();
    given.gone('a').released(task, true).agent('b', { maxConcurrentTasks: 1 });
    given.task({ priority: 'high', excludeAgents: ['a'] });
    given.route();
    given.event('AgentReturned', 'a', { session: 100 });

    expect(why(given, task)[0]).toBe('excluded');
  });

  it('says that it is about to be assigned', () => {
    const given = new RouterScenario().agent('a');
    const task = given.task();

    expect(why(given, task)[0]).toBe('routing');
    given.pass();
    expect(why(given, task)).toEqual(['routing', 'is about to be assigned to a']);
  });
});
