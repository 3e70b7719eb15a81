import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_ID_TAKEN,
  AGENT_NOT_FOUND,
  ALREADY_ASSIGNED,
  ILLEGAL_TRANSITION,
  NOT_ASSIGNABLE,
  assignTask,
  dispatchTask,
  explainTask,
  pauseQueue,
  pollTasks,
  resumeQueue,
  routeTask,
  routingStats,
} from '@athena/contracts';
import { World } from './world.scenario.js';

let world: World;
beforeEach(async () => {
  world = await World.begin();
});
afterEach(async () => {
  await world.end();
});

const idsOf = (tasks: readonly { taskId: string }[]): string[] => tasks.map(({ taskId }) => taskId);
const typesOf = (taskId: string): string[] => world.eventsOf(taskId).map(({ type }) => type);

describe('an agent that polls', () => {
  it('is given work up to its maximum, and fetches it with its lease', async () => {
    await world.active();
    await world.agent('p', { maxConcurrentTasks: 2 }, 'key:k');
    const ids = [await world.task(), await world.task(), await world.task()];

    const { output } = await world.ask(pollTasks, { agentId: 'p' });

    expect(idsOf(output.tasks)).toEqual(ids.slice(0, 2));
    expect(output.tasks[0]?.lease).toMatch(/^0\./);
    expect(world.contacts).toEqual(['p']);
    const limited = await world.ask(pollTasks, { agentId: 'p', limit: 1 });
    expect(idsOf(limited.output.tasks)).toEqual(ids.slice(0, 1));
  });

  it('that was away is back, and gets its work with the same poll', async () => {
    await world.active();
    const session = await world.agent('p', {}, 'key:k');
    await world.endSession('p', session);
    const taskId = await world.task();

    const { output } = await world.ask(pollTasks, { agentId: 'p' });

    expect(idsOf(output.tasks)).toEqual([taskId]);
  });

  it('is nobody but itself', async () => {
    await world.active();
    await world.agent('p', {}, 'agent-key:k1');
    const poll = (agentId: string, actor: string) => world.ask(pollTasks, { agentId }, { actor });

    await expect(poll('p', 'agent-key:k2')).rejects.toMatchObject({
      refusal: { code: AGENT_ID_TAKEN.code },
    });
    await expect(poll('nobody', 'agent-key:k1')).rejects.toMatchObject({
      refusal: { code: AGENT_NOT_FOUND.code },
    });
    expect((await poll('p', 'agent-key:k1')).output.tasks).toEqual([]);
  });
});

describe('by hand', () => {
  it('a task is given to the agent that was named, and to nobody else afterwards', async () => {
    await world.active();
    await world.agent('p', {}, 'key:k');
    await world.agent('q', {}, 'key:k');
    const taskId = await world.task({ autoRoute: false });

    const assigned = await world.ask(assignTask, { taskId, agentId: 'q' });
    expect(assigned.output).toEqual({ taskId, agentId: 'q', status: 'assigned' });
    const again = await world.ask(assignTask, { taskId, agentId: 'q' });
    expect(again.output).toEqual(assigned.output);
    await expect(world.ask(assignTask, { taskId, agentId: 'p' })).rejects.toMatchObject({
      refusal: { code: ALREADY_ASSIGNED.code },
    });
    expect(typesOf(taskId)).toEqual(['TaskCreated', 'TaskAssigned']);
    expect(idsOf((await world.ask(pollTasks, { agentId: 'q' })).output.tasks)).toEqual([taskId]);
  });

  it('a claiming agent without an open claim gets it with its next one', async () => {
    await world.active();
    await world.agent('a');
    const taskId = await world.task({ autoRoute: false });
    await world.ask(assignTask, { taskId, agentId: 'a' });

    expect(idsOf((await world.claim('a')).tasks)).toEqual([taskId]);
  });

  it('no agent is overfilled, and none gets what it can’t do', async () => {
    await world.active();
    await world.agent('p', { capabilities: ['sum'], maxConcurrentTasks: 1 }, 'key:k');
    const session = await world.agent('away', {}, 'key:k');
    await world.endSession('away', session);
    const plot = await world.task({ autoRoute: false, requirements: ['plot'] });
    const [one, two] = [
      await world.task({ autoRoute: false }),
      await world.task({ autoRoute: false }),
    ];
    await world.ask(assignTask, { taskId: one, agentId: 'p' });

    const refused = { refusal: { code: NOT_ASSIGNABLE.code } };
    const assign = (taskId: string, agentId: string) => world.ask(assignTask, { taskId, agentId });
    await expect(assign(plot, 'p')).rejects.toMatchObject(refused);
    await expect(assign(two, 'p')).rejects.toMatchObject(refused);
    await expect(assign(two, 'away')).rejects.toMatchObject(refused);
    await expect(assign(two, 'nobody')).rejects.toMatchObject({
      refusal: { code: AGENT_NOT_FOUND.code },
    });
    await world.cancel(two);
    await expect(assign(two, 'p')).rejects.toMatchObject({
      refusal: { code: ILLEGAL_TRANSITION.code },
    });
  });

  it('a dispatch creates, routes and says with whom the task is, or why with nobody', async () => {
    await world.active();
    await world.agent('p', { capabilities: ['sum'] }, 'key:k');
    const send = async (requirements: string[], autoRoute = true) => {
      const task = { content: 1, taskType: 'work', requirements, autoRoute };
      return (await world.ask(dispatchTask, { task })).output;
    };

    expect(await send(['sum'])).toMatchObject({
      status: 'assigned',
      assignedTo: 'p',
      reason: 'p is the only candidate',
    });
    expect(await send(['sum'], false)).toMatchObject({ status: 'assigned', assignedTo: 'p' });
    expect(await send(['fly'])).toMatchObject({
      status: 'pending',
      assignedTo: null,
      reason: 'no_capable_agent: no registered agent has fly',
    });
  });
});

describe('while the queue is paused', () => {
  it('nobody is given anything by any way, and everybody is told why', async () => {
    await world.active();
    await world.agent('p', {}, 'key:k');
    await world.ask(pauseQueue, { taskType: 'work' });
    const [routed, byHand] = [await world.task(), await world.task({ autoRoute: false })];
    const other = await world.task({ taskType: 'other' });

    const { output } = await world.ask(pollTasks, { agentId: 'p' });
    expect(idsOf(output.tasks)).toEqual([other]);
    const assign = () => world.ask(assignTask, { taskId: byHand, agentId: 'p' });
    await expect(assign()).rejects.toMatchObject({
      refusal: {
        code: NOT_ASSIGNABLE.code,
        detail: expect.stringMatching(/the task type work is paused since .* by key:k$/),
      },
    });
    for (const autoRoute of [true, false]) {
      const task = { content: 1, taskType: 'work', autoRoute };
      const dispatched = await world.ask(dispatchTask, { task });
      expect(dispatched.output).toMatchObject({ status: 'pending', assignedTo: null });
      expect(dispatched.output.reason).toMatch(/^paused: the task type work is paused/);
    }
    const why = await world.ask(explainTask, { taskId: routed });
    expect(why.output).toMatchObject({ state: 'pending', reason: 'paused' });
    const { noRouteReasons } = (await world.ask(routingStats, {})).output;
    expect(noRouteReasons).toEqual({ paused: 2, manual: 2 });

    await world.ask(resumeQueue, { taskType: 'work' });
    expect((await assign()).output.status).toBe('assigned');
    const later = await world.ask(pollTasks, { agentId: 'p' });
    expect(idsOf(later.output.tasks)).toContain(routed);
  });

  it('a router that takes over knows it', async () => {
    await world.active('first');
    await world.agent('p', {}, 'key:k');
    await world.ask(pauseQueue, {});
    await world.task();
    await world.active('second');

    expect((await world.ask(pollTasks, { agentId: 'p' })).output.tasks).toEqual([]);
  });
});

describe('asked', () => {
  it('why, it knows what a task waits for and what an assignment rested on', async () => {
    await world.active();
    await world.agent('a', { capabilities: ['sum'] });
    const waiting = await world.task({ requirements: ['fly'] });
    const given = await world.task({ requirements: ['sum'] });
    const { tasks } = await world.claim('a');

    const why = async (taskId: string) => (await world.ask(explainTask, { taskId })).output;
    expect(await why(waiting)).toEqual({
      state: 'pending',
      reason: 'no_capable_agent',
      detail: 'no registered agent has fly',
      decision: null,
    });
    await world.complete(tasks[0]!, 'a');
    expect(await why(given)).toMatchObject({
      state: 'completed',
      reason: 'a is the only candidate',
      decision: { policy: 'base@1', candidates: [{ agentId: 'a', score: 1 }] },
    });
  });

  it('for advice, it ranks whoever has room and assigns nothing', async () => {
    await world.active();
    await world.agent('a', { capabilities: ['sum'], maxConcurrentTasks: 2 });
    await world.agent('b', { capabilities: ['sum'], maxConcurrentTasks: 2 });
    await world.task({ requirements: ['sum'] });
    await world.claim('a');
    const taskId = await world.task({ requirements: ['sum'] });

    const { output } = await world.ask(routeTask, { taskId });
    expect(output).toEqual({
      selectedAgent: 'b',
      candidates: ['b', 'a'],
      scores: { a: 0.5, b: 1 },
      reason: 'b scores highest (1) of 2 candidates; it asks for no work at this moment',
    });
    const task = { requirements: ['sum'] };
    const without = await world.ask(routeTask, { task, excludeAgents: ['a', 'b'] });
    expect(without.output).toMatchObject({ selectedAgent: null, candidates: [], scores: {} });
    expect(typesOf(taskId)).toEqual(['TaskCreated']);
  });

  it('for statistics, it counts what was decided and why the rest waits', async () => {
    await world.active();
    await world.agent('a', { capabilities: ['sum'] });
    await world.task({ requirements: ['fly'] });
    await world.task({ requirements: ['sum'], autoRoute: false });
    const claim = world.claim('a');
    await world.task({ requirements: ['sum'] });
    await claim;
    await world.task({ requirements: ['sum'] });

    const { output } = await world.ask(routingStats, {});
    expect(output).toMatchObject({
      assigned: 1,
      refused: 0,
      waiting: 3,
      noRouteReasons: { no_capable_agent: 1, manual: 1, agents_full: 1 },
      assignmentRate: 0.25,
      policy: 'base@1',
    });
    const elsewhere = await world.ask(routingStats, {}, { project: 'other' });
    expect(elsewhere.output).toMatchObject({ assigned: 0, waiting: 0, noRouteReasons: {} });
  });
});
