import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AthenaClient, type AthenaError, TaskFailedError, defineTask } from '@athena/sdk';
import { z } from 'zod';
import { TestAthena } from './index.js';

const render = defineTask({
  name: 'render',
  input: z.object({ page: z.number() }),
  output: z.object({ url: z.string() }),
  requirements: ['render'],
});

describe('an agent under test', () => {
  let athena: TestAthena;
  let client: AthenaClient;
  beforeEach(async () => {
    athena = await TestAthena.start();
    client = await athena.client();
  });
  afterEach(() => athena.stop());

  const typesOf = (taskId: string) => athena.events(taskId).map(({ type }) => type);

  it('gets its task and answers for it', async () => {
    const agent = athena.newAgent({ id: 'renderer-1', capabilities: ['render'] });
    agent.handle(render, ({ page }) => ({ url: `/${page}` }));
    await agent.start();
    const handle = await client.submit(render, { page: 7 });
    expect(await athena.until(handle.result())).toEqual({ url: '/7' });
    expect(await client.agents.get({ agentId: 'renderer-1' })).toMatchObject({
      status: 'online',
      completed: 1,
      activeTasks: 0,
    });
  });

  it('that is flaky gets its task again after growing pauses', async () => {
    const calledAt: number[] = [];
    await athena.agent({ id: 'flaky', capabilities: ['render'] }, (_content, { attempt }) => {
      calledAt.push(athena.now.getTime());
      if (attempt < 4) throw new Error('not now');
      return { url: '/1' };
    });
    const handle = await client.submit(render, { page: 1 }, { maxAttempts: 5 });
    await athena.settle();
    expect(await client.tasks.why({ taskId: handle.taskId })).toMatchObject({
      state: 'pending',
      reason: 'backoff',
    });
    expect(await athena.until(handle.result())).toEqual({ url: '/1' });
    const retriesAt = athena
      .events(handle.taskId)
      .flatMap((event) => (event.type === 'AttemptFailed' ? Date.parse(event.data.retryAt) : []));
    expect(retriesAt).toHaveLength(3);
    retriesAt.forEach((retryAt, n) => expect(calledAt[n + 1]).toBeGreaterThanOrEqual(retryAt));
    expect(await handle.record()).toMatchObject({ attempt: 4, retryCount: 3 });
  });

  it('that dies loses its task to another', async () => {
    const dying = await athena.agent({ id: 'a', capabilities: ['render'] }, () =>
      athena.sleep('10m'),
    );
    const handle = await client.submit(render, { page: 1 });
    await athena.settle();
    expect(await handle.status()).toBe('running');
    await athena.agent({ id: 'b', capabilities: ['render'] }, () => ({ url: '/b' }));

    await athena.kill(dying);
    await athena.advance('10s');

    expect(await handle.result()).toEqual({ url: '/b' });
    expect(typesOf(handle.taskId)).toContain('TaskReleased');
    expect(await client.agents.get({ agentId: 'a' })).toMatchObject({ status: 'offline' });
  });

  it('that is cut off is missed after a minute', async () => {
    const cut = await athena.agent({ id: 'a', capabilities: ['render'] }, () =>
      athena.sleep('10m'),
    );
    const handle = await client.submit(render, { page: 1 });
    await athena.settle();
    await athena.agent({ id: 'b', capabilities: ['render'] }, () => ({ url: '/b' }));
    athena.cutOff(cut);
    await athena.advance('50s');
    expect(await handle.status()).toBe('running');
    await athena.advance('30s');
    expect(await handle.result()).toEqual({ url: '/b' });
  });

  it('is handed a task only when what it needs is done', async () => {
    const order: unknown[] = [];
    await athena.agent({ id: 'a', capabilities: ['render'] }, async (content) => {
      order.push(content);
      await athena.sleep('1m');
      return { url: '/' };
    });
    const first = await client.submit(render, { page: 1 });
    const second = await client.submit(render, { page: 2 }, { dependencies: [first] });
    await athena.advance('30s');
    expect(await client.tasks.why({ taskId: second.taskId })).toMatchObject({
      reason: 'dependencies',
    });
    await athena.until(second.result());
    expect(order).toEqual([{ page: 1 }, { page: 2 }]);
  });

  it('fails a poisonous task until its attempts are used up', async () => {
    await athena.agent({ id: 'a', capabilities: ['render'] }, () => {
      throw new Error('poison');
    });
    const handle = await client.submit(render, { page: 1 }, { maxAttempts: 2 });
    await expect(athena.until(handle.result())).rejects.toThrow(TaskFailedError);
    expect(typesOf(handle.taskId).filter((type) => type === 'AttemptFailed')).toHaveLength(1);
    const failed = athena.events(handle.taskId).find((event) => event.type === 'TaskFailed');
    expect(failed?.data).toMatchObject({ deadLettered: true, error: { message: 'poison' } });
  });

  it('is told while it runs that its task was cancelled', async () => {
    const reasons: unknown[] = [];
    await athena.agent({ id: 'a', capabilities: ['render'] }, async (_content, { signal }) => {
      await athena.sleep('1h', signal).catch((reason: unknown) => reasons.push(reason));
    });
    const handle = await client.submit(render, { page: 1 });
    await athena.settle();
    await handle.cancel('not needed any more');
    await athena.advance('10s');
    expect(reasons).toEqual([expect.objectContaining({ code: 'TASK_CANCELLED' })]);
    expect(await handle.status()).toBe('cancelled');
  });

  it('is told while it runs that the deadline of its task has passed', async () => {
    const reasons: unknown[] = [];
    await athena.agent({ id: 'a', capabilities: ['render'] }, async (_content, { signal }) => {
      await athena.sleep('1h', signal).catch((reason: unknown) => reasons.push(reason));
    });
    const deadline = new Date(athena.now.getTime() + 60_000).toISOString();
    const handle = await client.submit(render, { page: 1 }, { deadline });
    const dependent = await client.submit(render, { page: 2 }, { dependencies: [handle] });
    await athena.advance('59s');
    expect(await handle.status()).toBe('running');
    await athena.advance('10s');
    expect(reasons).toEqual([expect.objectContaining({ code: 'TASK_CANCELLED' })]);
    expect(await client.tasks.get({ taskId: handle.taskId })).toMatchObject({
      status: 'failed',
      error: { code: 'DEADLINE_EXCEEDED' },
      reason: 'deadline',
    });
    expect(await dependent.status()).toBe('blocked');
    expect(await client.agents.get({ agentId: 'a' })).toMatchObject({ activeTasks: 0, failed: 0 });
  });

  it('that is none leaves a task to its time to start', async () => {
    const handle = await client.submit(render, { page: 1 }, { scheduleToStartMs: 5_000 });
    await expect(athena.until(handle.result())).rejects.toThrow(TaskFailedError);
    expect(await client.tasks.get({ taskId: handle.taskId })).toMatchObject({
      error: { code: 'SCHEDULE_TO_START_TIMEOUT' },
      deadLettered: true,
    });
  });

  it('is refused what can’t be done in time', async () => {
    const deadline = athena.now.toISOString();
    await expect(client.submit(render, { page: 1 }, { deadline })).rejects.toMatchObject({
      code: 'CONTRADICTORY_TIMES',
    });
  });

  it.each([
    ['at once, with a slot to spare', 2, 0],
    ['with its heartbeat, with all slots taken', 1, 5_000],
  ])('is told of a cancellation %s', async (_when, concurrency, withinMs) => {
    const told: Record<string, unknown>[] = [];
    const options = { id: 'a', capabilities: ['render'], concurrency };
    await athena.agent(options, async (_content, { signal, taskId }) => {
      await athena.sleep('1h', signal).catch(({ code }: AthenaError) => {
        told.push({ taskId, code, at: athena.now.getTime() });
      });
    });
    await athena.advance('1s');
    const handle = await client.submit(render, { page: 1 });
    await athena.advance('2s');
    const at = athena.now.getTime();
    await handle.cancel();
    await athena.advance(`${withinMs}ms`);
    expect(told).toEqual([
      { taskId: handle.taskId, code: 'TASK_CANCELLED', at: expect.any(Number) },
    ]);
    expect(Number(told[0]?.at) - at).toBeLessThanOrEqual(withinMs);
  });

  it('is told of every one of several cancellations, and works on for the rest', async () => {
    const dropped: string[] = [];
    const options = { id: 'a', capabilities: ['render'], concurrency: 4 };
    await athena.agent(options, async (_content, { signal, taskId }) => {
      await athena.sleep('1m', signal).catch(() => dropped.push(taskId));
      return { url: '/' };
    });
    const pages = [1, 2, 3, 4].map((page) => ({ input: { page } }));
    const [stays, ...others] = await client.submitMany(render, pages);
    await athena.advance('1s');
    for (const { taskId } of others) await client.tasks.cancel({ taskId });
    await athena.advance('5s');
    expect(dropped.sort()).toEqual(others.map(({ taskId }) => taskId).sort());
    expect(await athena.until(stays!.result())).toEqual({ url: '/' });
  });

  it('stops as it does outside', async () => {
    const agent = await athena.agent({ id: 'a', capabilities: ['render'] }, async () => {
      await athena.sleep('20s');
      return { url: '/' };
    });
    const handle = await client.submit(render, { page: 1 });
    await athena.settle();
    await athena.until(agent.stop({ deregister: true }));
    expect(await handle.result()).toEqual({ url: '/' });
    await expect(client.agents.get({ agentId: 'a' })).rejects.toMatchObject({
      code: 'AGENT_NOT_FOUND',
    });
  });

  it('meets the same events with the same seed', async () => {
    const told = async (seed: number): Promise<string> => {
      const other = await TestAthena.start({ seed });
      await other.agent({ id: 'a', capabilities: ['render'] }, (_content, { attempt }) => {
        if (attempt < 3) throw new Error(`attempt ${attempt}`);
        return { url: '/' };
      });
      const handles = await (
        await other.client()
      ).submitMany(
        render,
        [1, 2, 3].map((page) => ({ input: { page } })),
      );
      await other.until(Promise.all(handles.map((handle) => handle.result())));
      const events = other.events().map((event) => withoutStack(JSON.stringify(event)));
      await other.stop();
      return events.join('\n');
    };
    const first = await told(7);
    expect(await told(7)).toBe(first);
    expect(await told(8)).not.toBe(first);
  });

  it('may wait for the better part of an hour', async () => {
    await athena.agent({ id: 'a', capabilities: ['render'] }, () => ({ url: '/' }));
    const runAt = new Date(athena.now.getTime() + 50 * 60_000).toISOString();
    const handle = await client.submit(render, { page: 1 }, { runAt });
    await athena.advance('49m');
    expect(await handle.status()).toBe('pending');
    expect(await athena.until(handle.result(), '2m')).toEqual({ url: '/' });
  });

  it('is refused what only Postgres could tell, and learns why', async () => {
    await expect(client.tasks.query({ status: 'pending' })).rejects.toMatchObject({
      code: 'UNKNOWN_OPERATION',
      message: expect.stringContaining('the testing kit has no Postgres'),
    });
  });

  it('waits in vain for no longer than it said', async () => {
    const handle = await client.submit(render, { page: 1 });
    await expect(athena.until(handle.result(), '10m')).rejects.toThrow('not so within 10m');
    expect(await client.tasks.why({ taskId: handle.taskId })).toMatchObject({
      reason: 'no_capable_agent',
    });
  });
});

/** Stack traces tell of the test runner's own turns. */
const withoutStack = (json: string): string =>
  JSON.stringify(JSON.parse(json, (key, value: unknown) => (key === 'stack' ? '' : value)));
