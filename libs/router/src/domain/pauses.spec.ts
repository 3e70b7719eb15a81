import { describe, expect, it } from '@jest/globals';
import { RouterScenario, pairsOf } from './router.scenario.js';
import { whyWaiting } from './why.js';

const idsOf = (given: RouterScenario): string[] => pairsOf(given.pass()).map(([task]) => task);
const paused = (given: RouterScenario, data: { taskType?: string } = {}, project = 'p') =>
  given.event('QueuePaused', 'task.0', data, project);
const resumed = (given: RouterScenario, data: { taskType?: string } = {}) =>
  given.event('QueueResumed', 'task.0', data);

describe('a paused project', () => {
  it('gives nothing out until it is resumed, and then in order', () => {
    const given = paused(new RouterScenario().agent('a', { maxConcurrentTasks: 9 }));
    const [low, medium] = [given.task({ priority: 'low' }), given.task()];
    const high = given.task({ priority: 'high' });

    expect(idsOf(given)).toEqual([]);
    given.agent('b');
    expect(idsOf(given)).toEqual([]);
    resumed(given);
    expect(idsOf(given)).toEqual([high, medium, low]);
  });

  it('holds back what waited before, in every partition, and what comes back', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1 });
    const running = given.task();
    given.route();
    const other = given.task({}, 1);
    paused(given).released(running, false);

    expect(idsOf(given)).toEqual([]);
    expect(given.taskOf(running).status).toBe('pending');
    expect(idsOf(resumed(given))).toEqual([running]);
    expect(given.taskOf(other).status).toBe('pending');
  });

  it('is no other project’s matter', () => {
    const given = paused(new RouterScenario().agent('a'), {}, 'q');
    const task = given.task();

    expect(idsOf(given)).toEqual([task]);
  });
});

describe('a paused type', () => {
  it('holds back its own tasks only, whatever else they have in common', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 9 });
    const [held, free] = [given.task({ taskType: 'x' }), given.task({ taskType: 'y' })];
    paused(given, { taskType: 'x' });

    expect(idsOf(given)).toEqual([free]);
    expect(idsOf(resumed(given, { taskType: 'x' }))).toEqual([held]);
  });

  it('has a pause of its own beside that of the project', () => {
    const given = new RouterScenario().agent('a');
    const task = given.task({ taskType: 'x' });
    paused(paused(given), { taskType: 'x' });

    expect(idsOf(resumed(given))).toEqual([]);
    expect(idsOf(resumed(given, { taskType: 'x' }))).toEqual([task]);
  });

  it('costs by groups and not by tasks', () => {
    const given = new RouterScenario();
    for (let n = 0; n < 2_000; n++) given.task({ taskType: 'x' });
    const group = given.state.tasks.values().next().value?.group;
    const before = given.state.tasks.table.takeChanges().upserts.length;
    paused(given, { taskType: 'x' });
    resumed(given, { taskType: 'x' });

    expect([before, given.state.tasks.table.takeChanges().upserts.length]).toEqual([2_000, 0]);
    expect(group?.size).toBe(2_000);
  });
});

describe('why a task waits', () => {
  const why = (given: RouterScenario, id: string) =>
    whyWaiting(given.taskOf(id), given.state, given.now);

  it('names the pause, behind what the task waits for by itself', () => {
    const given = paused(new RouterScenario(), { taskType: 'x' });
    const task = given.task({ taskType: 'x', autoRoute: false });
    const planned = given.task({ taskType: 'x', runAt: '2026-01-02T00:00:00Z' });

    expect(why(given, task)).toMatchObject({ reason: 'paused' });
    expect(why(given, task).detail).toMatch(
      /^the task type x is paused since 2026-.* by key:spec$/,
    );
    expect(why(given, planned).reason).toBe('scheduled');
    expect(why(paused(given), task).detail).toMatch(/^the project is paused/);
  });
});

describe('a task with another priority', () => {
  it('stands by its age among those of that priority', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 9 });
    const [first, second, third] = [given.task(), given.task(), given.task({ priority: 'high' })];
    given.event('TaskReprioritised', second, { priority: 'high' });
    given.event('TaskReprioritised', first, { priority: 'low' });

    expect(idsOf(given)).toEqual([second, third, first]);
  });

  it('takes it along where it is not in the queue', () => {
    const given = new RouterScenario().agent('a', { maxConcurrentTasks: 1 });
    const task = given.task({ priority: 'low' });
    given.route();
    const other = given.task();
    given.event('TaskReprioritised', task, { priority: 'high' }).released(task, false);

    expect(idsOf(given)).toEqual([task]);
    expect(given.taskOf(other).status).toBe('pending');
  });
});
