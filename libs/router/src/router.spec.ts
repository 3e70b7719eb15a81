import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_NOT_FOUND,
  openRouter,
  placeTasks,
  releaseSession,
  tellCancelled,
} from '@athena/contracts';
import { until } from '@athena/testing';
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

describe('a claim', () => {
  it('is answered with a task that comes later, with its content and its lease', async () => {
    await world.active();
    await world.agent('a', { capabilities: ['sum'] });
    const claim = world.claim('a');
    const taskId = await world.task({ content: [1, 2], requirements: ['sum'], priority: 'high' });

    const { tasks } = await claim;

    expect(tasks).toMatchObject([{ taskId, content: [1, 2], priority: 'high', attempt: 1 }]);
    await world.start(tasks[0]!, 'a');
    await world.complete(tasks[0]!, 'a');
    expect(typesOf(taskId)).toEqual([
      'TaskCreated',
      'TaskAssigned',
      'TaskStarted',
      'TaskCompleted',
    ]);
  });

  it('is answered with an empty list when there was nothing', async () => {
    await world.active();
    await world.agent('a');

    expect(await world.claim('a', { waitMs: 30 })).toEqual({ tasks: [], cancelled: [] });
  });

  it('that is repeated gets the same tasks, another one never does', async () => {
    await world.active();
    await world.agent('a', { maxConcurrentTasks: 4 });
    await Promise.all([world.task(), world.task(), world.task()]);

    const first = await world.claim('a', { claimId: 'mine', capacity: 2 });
    await world.start(first.tasks[0]!, 'a');
    const again = await world.claim('a', { claimId: 'mine', capacity: 2 });
    const other = await world.claim('a', { capacity: 2 });

    expect(first.tasks).toHaveLength(2);
    expect(again).toEqual(first);
    expect(other.tasks).toHaveLength(1);
    expect(idsOf(first.tasks)).not.toContain(idsOf(other.tasks)[0]);
  });

  it('that is repeated to another router gets the same tasks from the partition', async () => {
    const old = await world.active('old');
    await world.agent('a', { maxConcurrentTasks: 4 });
    const taskId = await world.task();
    const first = await world.claim('a', { claimId: 'mine' });
    await old.close();

    await world.active('new');
    const again = await world.claim('a', { claimId: 'mine' });

    expect(idsOf(again.tasks)).toEqual([taskId]);
    expect(again.tasks).toEqual(first.tasks);
  });

  it('that was repeated before the next router took over gets the same tasks from it', async () => {
    const old = await world.active('old');
    await world.agent('a', { maxConcurrentTasks: 3 });
    await Promise.all([world.task(), world.task()]);
    const first = await world.claim('a', { claimId: 'mine', capacity: 2 });
    await old.close();
    const { router, lease } = await world.router('next');
    const { desk } = (await router.loaded)!;

    const again = world.claim('a', { claimId: 'mine', capacity: 2, waitMs: 1_000 });
    const other = world.claim('a', { claimId: 'other', waitMs: 1_000 });
    await until(() => desk.size === 2, 'the claims to be parked');
    const late = await world.task();
    lease.hand(true);

    expect((await again).tasks).toEqual(first.tasks);
    expect(idsOf((await other).tasks)).toEqual([late]);
  });

  it('that was repeated too late waits for new work', async () => {
    const old = await world.active('old');
    await world.agent('a');
    await world.task();
    const first = await world.claim('a', { claimId: 'mine' });
    await old.close();
    await world.start(first.tasks[0]!, 'a');
    const { router, lease } = await world.router('next');
    const { desk } = (await router.loaded)!;

    const again = world.claim('a', { claimId: 'mine' });
    await until(() => desk.book.size === 1, 'the claim to be parked');
    lease.hand(true);
    const taskId = await world.task();

    expect(idsOf((await again).tasks)).toEqual([taskId]);
  });

  it('of an agent that nobody registered is refused, of one just registered is not', async () => {
    await world.active();
    await expect(world.claim('ghost')).rejects.toMatchObject({
      refusal: { code: AGENT_NOT_FOUND.code },
    });
    world.feedDelayMs = 20;
    await world.agent('a');
    expect(await world.claim('a', { waitMs: 10 })).toEqual({ tasks: [], cancelled: [] });
  });

  it('tells of tasks that were cancelled under the agent’s hands', async () => {
    await world.active();
    await world.agent('a');
    const taskId = await world.task();
    const { tasks } = await world.claim('a');
    await world.start(tasks[0]!, 'a');

    const next = world.claim('a');
    await world.cancel(taskId);

    expect(await next).toEqual({ tasks: [], cancelled: [taskId] });
  });

  it('is answered at once while the agent has not been told, and with its time afterwards', async () => {
    await world.active();
    await world.agent('a');
    const taskId = await world.task();
    const { tasks } = await world.claim('a');
    await world.start(tasks[0]!, 'a');
    await world.cancel(taskId);
    await until(() => world.cancelledOf('a').length === 1);

    expect(await world.claim('a', { waitMs: 20_000 })).toEqual({ tasks: [], cancelled: [taskId] });
    const askedAt = Date.now();
    expect(await world.claim('a', { waitMs: 100 })).toEqual({ tasks: [], cancelled: [taskId] });
    expect(Date.now() - askedAt).toBeGreaterThanOrEqual(90);
  });
});

describe('an agent without an open claim', () => {
  const busy = async (...agents: string[]): Promise<string[]> => {
    await world.active();
    const taskIds: string[] = [];
    for (const agent of agents) {
      await world.agent(agent);
      taskIds.push(await world.task());
      const { tasks } = await world.claim(agent);
      await world.start(tasks[0]!, agent);
    }
    return taskIds;
  };
  const told = async (agentId: string, heard: string[] = []): Promise<string[]> =>
    (await world.ask(tellCancelled, { agentId, heard })).output.cancelled;

  it('is told of what was cancelled until it says that it heard', async () => {
    const [mine, another] = (await busy('a', 'b')) as [string, string];
    await world.cancel(mine);
    await world.cancel(another);
    await until(() => world.cancelledOf('b').length === 1);

    expect([await told('a'), await told('a'), await told('b')]).toEqual([
      [mine],
      [mine],
      [another],
    ]);
    expect(await told('a', [mine, another])).toEqual([]);
    expect([await told('a'), await told('b')]).toEqual([[], [another]]);
  });

  it('is told by the router that takes over, too', async () => {
    const [taskId] = (await busy('a')) as [string];
    const { router, lease } = await world.router('next');
    await world.cancel(taskId);
    await until(() => world.cancelledOf('a').length === 1);
    expect(await told('a')).toEqual([taskId]);

    lease.hand(true);
    await until(() => router.activity === 'active');

    expect(await told('a')).toEqual([taskId]);
  });

  it('is told nothing of an earlier session', async () => {
    const [taskId] = (await busy('a')) as [string];
    await world.cancel(taskId);
    await until(() => world.cancelledOf('a').length === 1);
    await world.agent('a');
    await until(() => world.cancelledOf('a').length === 0);
    expect([await told('a'), await told('nobody')]).toEqual([[], []]);
  });
});

describe('the router', () => {
  it('gives every task out once, and no agent more than it takes', async () => {
    await world.active();
    const agents = ['a', 'b', 'c'];
    for (const agent of agents) await world.agent(agent, { maxConcurrentTasks: 3 });
    const ids = await Promise.all(Array.from({ length: 60 }, () => world.task()));
    const done = new Set<string>();
    const work = async (agent: string): Promise<void> => {
      while (done.size < ids.length) {
        const { tasks } = await world.claim(agent, { capacity: 2, waitMs: 100 });
        await Promise.all(tasks.map((task) => world.complete(task, agent)));
        for (const { taskId } of tasks) done.add(taskId);
      }
    };
    await Promise.all(agents.flatMap((agent) => [work(agent), work(agent)]));

    const assigned = world.events.filter(({ type }) => type === 'TaskAssigned');
    expect(new Set(assigned.map(({ id }) => id)).size).toBe(ids.length);
    expect(assigned).toHaveLength(ids.length);
    expect(mostHeld(agents)).toBeLessThanOrEqual(3);
  });

  it('places a task once, although the answer to the placement was lost', async () => {
    const router = await world.active();
    await world.agent('a', { maxConcurrentTasks: 1 });
    world.failNext(placeTasks, 'lose-answer');
    const taskId = await world.task();

    const { tasks } = await world.claim('a', { claimId: 'mine' });

    expect(idsOf(tasks)).toEqual([taskId]);
    await until(() => router.activity === 'active');

    expect(typesOf(taskId).filter((type) => type === 'TaskAssigned')).toHaveLength(1);
    expect(world.events.filter(({ type }) => type === 'RouterOpened')).toHaveLength(2);
    const { reserved, active } = router.routing.state.fleet.get('p', 'a')!;
    expect([reserved, active]).toEqual([0, 1]);
  });

  it('places a task anew whose placement was lost on the way', async () => {
    const router = await world.active();
    await world.agent('a');
    world.failNext(placeTasks, 'lose-call');
    world.failNext(openRouter, 'lose-call', 'lose-answer');
    const taskId = await world.task();

    const { tasks } = await world.claim('a');

    expect(idsOf(tasks)).toEqual([taskId]);
    expect(router.routing.state.fleet.get('p', 'a')?.reserved).toBe(0);
  });

  it('gives the work of a vanished agent to another, and not to that one again', async () => {
    await world.active();
    const session = await world.agent('a');
    const taskId = await world.task();
    const { tasks } = await world.claim('a');
    await world.start(tasks[0]!, 'a');
    await world.agent('b');
    const other = world.claim('b');
    const own = world.claim('a', { waitMs: 50 });
    world.failNext(releaseSession, 'lose-call', 'lose-answer');

    await world.endSession('a', session);

    expect(await own).toEqual({ tasks: [], cancelled: [] });
    expect(idsOf((await other).tasks)).toEqual([taskId]);
    expect(world.eventsOf(taskId).map(({ type, data }) => [type, data])).toContainEqual([
      'TaskReleased',
      { agentId: 'a', attempt: 1, reason: 'session_ended', exclude: true },
    ]);
  });
});

/** The most tasks that any of these agents ever held at once, by the log. */
function mostHeld(agents: readonly string[]): number {
  const held = new Map<string, Set<string>>(agents.map((agent) => [agent, new Set()]));
  let most = 0;
  for (const { type, id, data } of world.events) {
    const { agentId } = data as { agentId?: string };
    if (type === 'TaskAssigned') held.get(agentId ?? '')?.add(id);
    if (type === 'TaskCompleted' || type === 'TaskReleased') held.get(agentId ?? '')?.delete(id);
    most = Math.max(most, ...[...held.values()].map(({ size }) => size));
  }
  return most;
}
