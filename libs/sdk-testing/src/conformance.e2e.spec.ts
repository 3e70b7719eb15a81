import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Agent, type AgentOptions, AthenaClient, type PlainHandler } from '@athena/sdk';
import { LocalStack } from '@athena/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestAthena } from './index.js';

/** What a scenario needs of the Athena that it runs on. */
interface Place {
  readonly client: AthenaClient;
  readonly agent: (id: string, handler: PlainHandler) => Promise<Agent>;
  readonly until: <T>(work: Promise<T>) => Promise<T>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** One of everything that can become of a task; answers with the events of each, in order. */
async function scenario({ client, agent, until, sleep: rest }: Place) {
  const task = async (content: string, more: object = {}): Promise<string> => {
    const input = { taskType: 'work', requirements: ['work'], content, ...more };
    return (await client.tasks.create(input)).taskId;
  };
  const done = await task('done');
  const flaky = await task('flaky');
  const dependent = await task('done', { dependencies: [done, flaky] });
  const poison = await task('poison', { maxAttempts: 2 });
  const behindPoison = await task('done', { dependencies: [poison] });
  const cancelled = await task('endless');
  const unwanted = await task('done', { delayMs: 60_000 });
  let tellBegun = (): void => undefined;
  const begun = new Promise<void>((resolve) => (tellBegun = resolve));
  await agent('worker', async (content, { attempt, signal }) => {
    if (content === 'flaky' && attempt === 1) throw new Error('once');
    if (content === 'poison') throw new Error('always');
    if (content === 'endless') {
      tellBegun();
      await rest(600_000, signal);
    }
    return content;
  });
  await until(begun);
  await client.tasks.cancel({ taskId: cancelled });
  await client.tasks.cancel({ taskId: unwanted });
  const tasks = { done, flaky, dependent, poison, behindPoison, cancelled, unwanted };
  for (const taskId of Object.values(tasks)) await until(client.tasks.wait(taskId));
  const histories = await Promise.all(
    Object.entries(tasks).map(async ([name, taskId]) => {
      const { events } = await client.tasks.events({ taskId, minSeq: client.seq });
      return [name, events.map(({ type, version }) => `${type} ${version}`)] as const;
    }),
  );
  return Object.fromEntries(histories);
}

describe('the testing kit', () => {
  let stack: LocalStack;
  beforeAll(async () => {
    stack = await LocalStack.start();
  }, 60_000);
  afterAll(() => stack.stop());

  const onStack = async (): Promise<unknown> => {
    const { natsUrl, project, apiKey } = stack;
    const place = { natsUrl, project, apiKey };
    const client = await AthenaClient.connectNats({ ...place, name: 'conformance' });
    const agents: Agent[] = [];
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const running = scenario({
      client,
      agent: async (agentId, handler) => {
        const options: AgentOptions = { ...place, agentId, capabilities: ['work'], log };
        const agent = new Agent({ ...options, concurrency: 20 }).handle('*', handler);
        agents.push(agent);
        await agent.start();
        return agent;
      },
      until: (work) => work,
      sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    });
    return running.finally(async () => {
      await Promise.all(agents.map((agent) => agent.stop()));
      await client.close();
    });
  };

  const inMemory = async (): Promise<unknown> => {
    const athena = await TestAthena.start();
    const found = await scenario({
      client: await athena.client(),
      agent: (id, handler) =>
        athena.agent({ id, capabilities: ['work'], concurrency: 20 }, handler),
      until: (work) => athena.until(work),
      sleep: (ms, signal) => athena.sleep(ms, signal),
    });
    await athena.stop();
    return found;
  };

  it('records of the same scenario what the real system records', async () => {
    const real = await onStack();
    expect(await inMemory()).toEqual(real);
    expect(real).toMatchObject({ flaky: expect.arrayContaining(['AttemptFailed 1']) });
  }, 60_000);
});
