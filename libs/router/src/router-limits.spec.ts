import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  NOT_ASSIGNABLE,
  assignTask,
  dispatchTask,
  explainTask,
  routingStats,
  type TaskOptions,
} from '@athena/contracts';
import { World } from './world.scenario.js';

let world: World;
beforeEach(async () => {
  world = await World.begin();
});
afterEach(async () => {
  await world.end();
});

const HOUR_MS = 3_600_000;
const one: TaskOptions = { concurrency: { key: 'gpu', max: 1 } };
const hourly: TaskOptions = { rateLimit: { key: 'api', limit: 1, periodMs: HOUR_MS } };

const why = async (taskId: string) => (await world.ask(explainTask, { taskId })).output;

describe('a task whose concurrency key is taken', () => {
  it('waits until another is done, while others go on', async () => {
    await world.active();
    await world.agent('a');
    const [first, second] = [await world.task(one), await world.task({ ...one, priority: 'high' })];
    const claimed = await world.claim('a');
    const held = claimed.tasks[0]!;
    const other = held.taskId === first ? second : first;
    const free = await world.task();

    expect((await world.claim('a')).tasks).toMatchObject([{ taskId: free }]);
    expect(await why(other)).toEqual({
      state: 'pending',
      reason: 'concurrency_key',
      detail: 'concurrency key gpu: 1 with agents, of at most 1',
      limit: { key: 'gpu', max: 1, running: 1 },
      decision: null,
    });
    const { output } = await world.ask(routingStats, {});
    expect(output.noRouteReasons).toEqual({ concurrency_key: 1 });
    const next = world.claim('a');
    await world.start(held, 'a');
    await world.complete(held, 'a');
    expect((await next).tasks).toMatchObject([{ taskId: other }]);
  });

  it('is not assigned by hand, and a dispatch says why', async () => {
    await world.active();
    await world.agent('a', {}, 'key:k');
    await world.ask(dispatchTask, { task: { content: 1, taskType: 't', ...one } });
    const { output } = await world.ask(dispatchTask, {
      task: { content: 1, taskType: 't', ...one, autoRoute: false },
    });
    expect(output).toMatchObject({ status: 'pending', assignedTo: null });

    const { taskId } = output;
    await expect(world.ask(assignTask, { taskId, agentId: 'a' })).rejects.toMatchObject({
      refusal: {
        code: NOT_ASSIGNABLE.code,
        detail:
          `task ${taskId} waits (concurrency_key): ` +
          'concurrency key gpu: 1 with agents, of at most 1',
      },
    });
  });
});

describe('a task whose rate limit is used up', () => {
  it('is assigned when its token comes, without anything else happening', async () => {
    await world.active();
    await world.agent('a');
    const options: TaskOptions = { rateLimit: { key: 'api', limit: 1, periodMs: 300 } };
    const ids = [await world.task(options), await world.task(options)];
    const got = [await world.claim('a'), await world.claim('a')];

    expect(got.map(({ tasks }) => tasks[0]?.taskId)).toEqual(ids);
    const [first, second] = ids.map((id) => Date.parse(startByOf(world, id)));
    expect(second! - first!).toBeGreaterThanOrEqual(299);
  });

  it('is not assigned by hand', async () => {
    await world.active();
    await world.agent('a', {}, 'key:k');
    await world.ask(dispatchTask, { task: { content: 1, taskType: 't', ...hourly } });
    const taskId = await world.task(hourly);

    expect(await why(taskId)).toMatchObject({
      reason: 'rate_limited',
      limit: { key: 'api', limit: 1, periodMs: HOUR_MS },
    });
    await expect(world.ask(assignTask, { taskId, agentId: 'a' })).rejects.toMatchObject({
      refusal: { code: NOT_ASSIGNABLE.code, detail: expect.stringContaining('rate_limited') },
    });
  });
});

/** The time to start by is counted from the assignment. */
const startByOf = ({ events }: World, taskId: string): string => {
  const assigned = events.find(({ id, type }) => id === taskId && type === 'TaskAssigned');
  return (assigned?.data as { startBy: string }).startBy;
};

describe('another router', () => {
  it('knows what is running and which tokens are taken', async () => {
    const old = await world.active('old');
    await world.agent('a');
    const both = { ...one, ...hourly };
    await world.task(both);
    await world.claim('a');
    const [keyed, paced] = [await world.task(one), await world.task(hourly)];
    await old.close();

    await world.active('new');
    const free = await world.task();

    expect((await world.claim('a')).tasks).toMatchObject([{ taskId: free }]);
    expect((await why(keyed)).limit).toEqual({ key: 'gpu', max: 1, running: 1 });
    expect((await why(paced)).reason).toBe('rate_limited');
  });
});
