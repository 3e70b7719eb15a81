import { setTimeout as pause } from 'node:timers/promises';
import { Agent, AthenaClient, defineTask } from '@athena/sdk';
import { LocalStack } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';

const square = defineTask({
  name: 'square',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  requirements: ['arithmetic'],
});

const ignore = (): void => undefined;
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore };

let stack: LocalStack;
let client: AthenaClient;

beforeAll(async () => {
  stack = await LocalStack.start();
  client = await AthenaClient.connect({ url: stack.url, apiKey: stack.apiKey });
}, 60_000);
afterAll(async () => {
  await stack?.stop();
});

const startAgent = async (
  agentId: string,
  work: (n: number) => Promise<number>,
): Promise<Agent> => {
  const { natsUrl, project, apiKey } = stack;
  const agent = new Agent({
    natsUrl,
    project,
    apiKey,
    agentId,
    capabilities: ['arithmetic'],
    log: quiet,
  });
  agent.handle(square, async ({ n }) => ({ n: await work(n) }));
  await agent.start();
  return agent;
};

/** Every task’s events, to see what was recorded. */
async function recorded(taskIds: readonly string[]): Promise<string[][]> {
  return Promise.all(
    taskIds.map(async (taskId) => {
      const { events } = await client.tasks.events({ taskId });
      return events.map(({ type }) => type);
    }),
  );
}

async function untilListed(taskId: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await stack.request('GET', '/v1/tasks?status=completed&limit=1000');
    const { tasks = [] } = (await answer.json()) as { tasks?: { taskId: string }[] };
    if (tasks.some((task) => task.taskId === taskId)) return;
    await pause(200);
  }
  throw new Error('the projection did not come back');
}

describe('the whole system in one process', () => {
  it('loses nothing and records nothing twice when it is killed in the middle of a job', async () => {
    const agents = await Promise.all(
      ['kim', 'lee', 'max'].map((name) =>
        startAgent(name, async (n) => {
          await pause(20);
          return n * n;
        }),
      ),
    );
    const inputs = Array.from({ length: 150 }, (_, n) => ({ input: { n } }));
    const handles = await client.submitMany(square, inputs);
    await pause(150);
    await stack.killApp();
    await stack.startApp();
    const results = await Promise.all(
      handles.map((handle) => handle.result({ timeoutMs: 60_000 })),
    );
    expect(results.map(({ n }) => n)).toEqual(inputs.map(({ input }) => input.n ** 2));
    for (const types of await recorded(handles.map(({ taskId }) => taskId))) {
      expect(types.filter((type) => type === 'TaskCompleted')).toHaveLength(1);
    }
    await Promise.all(agents.map((agent) => agent.stop()));
  }, 90_000);

  it('accepts and finishes work without Postgres, and shows it when Postgres is back', async () => {
    const agent = await startAgent('noa', async (n) => n + 1);
    await stack.postgres.kill();
    const { taskId } = await client.submit(square, { n: 1 });
    const task = await client.tasks.wait(taskId, { timeoutMs: 10_000 });
    expect(task).toMatchObject({ status: 'completed', result: { n: 2 } });
    const list = await stack.request('GET', `/v1/tasks?minSeq=${client.seq}`);
    expect([list.status, await list.json()]).toMatchObject([503, { retryable: true }]);
    await stack.restartPostgres();
    await untilListed(taskId);
    await agent.stop();
  }, 90_000);

  it('goes on by itself after NATS was killed, agents included', async () => {
    const agent = await startAgent('ona', async (n) => n + 1);
    await stack.nats.kill();
    const cut = stack.request('POST', '/v1/tasks', { content: 1, taskType: 'unserved' });
    await pause(500);
    await stack.restartNats();
    expect((await cut).status).toBe(201);
    const handle = await client.submit(square, { n: 41 });
    expect(await handle.result({ timeoutMs: 30_000 })).toEqual({ n: 42 });
    await agent.stop();
  }, 90_000);

  it('refuses clearly, and writes nothing', async () => {
    const unknown = '01900000-0000-8000-8000-000000000000';
    const missing = await stack.request('GET', `/v1/tasks/${unknown}`);
    expect([missing.status, await missing.json()]).toMatchObject([404, { code: 'TASK_NOT_FOUND' }]);
    const bad = await stack.request('POST', '/v1/tasks', {
      content: 1,
      taskType: 't',
      status: 'x',
    });
    expect([bad.status, await bad.json()]).toMatchObject([400, { code: 'INVALID_INPUT' }]);
    const anonymous = await fetch(`${stack.url}/v1/tasks`);
    expect(anonymous.status).toBe(401);
  });
});
