import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TimelineEvent } from '@athena/contracts';
import { Agent, AthenaClient } from '@athena/sdk';
import { LocalStack } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AthenaProcess } from '../scenarios/athena.scenario.js';

let stack: LocalStack;
let client: AthenaClient;
let agent: Agent;
let cwd: string;
/** Lets the handler go on to its next step. */
let next: () => void = () => undefined;
const step = (): Promise<void> => new Promise((resolve) => (next = resolve));

beforeAll(async () => {
  stack = await LocalStack.start();
  cwd = await mkdtemp(join(tmpdir(), 'athena-watch-'));
  const { url, natsUrl, apiKey, project } = stack;
  client = await AthenaClient.connect({ url, apiKey });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  agent = new Agent({ natsUrl, project, apiKey, agentId: 'w', capabilities: ['steps'], log });
  agent.handle('steps', async (_content, { progress }) => {
    for (let n = 1; n <= 3; n++) {
      progress({ percent: n * 25, output: { done: n }, log: [`step ${n}`] });
      await step();
    }
    progress({ log: ['last words'] });
    return 'done';
  });
  await agent.start();
}, 60_000);
afterAll(async () => {
  await agent?.stop();
  await client?.close();
  await stack?.stop();
  await rm(cwd, { recursive: true, force: true });
});

const newTask = async (): Promise<string> =>
  (await client.tasks.create({ content: 1, taskType: 'steps', requirements: ['steps'] })).taskId;

describe('watching a task', () => {
  it('shows progress while it is made, to the end, and goes on behind any position', async () => {
    const taskId = await newTask();
    const seen: TimelineEvent[] = [];
    for await (const event of client.tasks.watch(taskId)) {
      seen.push(event);
      // Each step waits until its progress was seen: it is live.
      if (event.type === 'TaskProgressed') next();
    }
    const told = seen.filter(({ type }) => type === 'TaskProgressed').map(({ data }) => data);
    expect(told).toEqual([
      { attempt: 1, percent: 25, output: { done: 1 }, log: ['step 1'] },
      { attempt: 1, percent: 50, output: { done: 2 }, log: ['step 2'] },
      { attempt: 1, percent: 75, output: { done: 3 }, log: ['step 3'] },
      { attempt: 1, log: ['last words'] },
    ]);
    expect(seen.at(-1)?.type).toBe('TaskCompleted');
    expect(await client.tasks.get({ taskId })).toMatchObject({
      status: 'completed',
      progress: { percent: 75, output: { done: 3 } },
    });

    const again: TimelineEvent[] = [];
    const after = seen[3]!.position;
    for await (const event of client.tasks.watch(taskId, { after })) again.push(event);
    expect(again).toEqual(seen.slice(4));
  });

  it('is refused for a task that is not there', async () => {
    const unknown = client.tasks.watch('01900000-0000-8000-8000-000000000000');
    const read = async (): Promise<void> => {
      for await (const _event of unknown) continue;
    };
    await expect(read()).rejects.toMatchObject({ code: 'TASK_NOT_FOUND' });
  });

  it('ends when it is told to', async () => {
    const { taskId } = await client.tasks.create({ content: 1, taskType: 'x', autoRoute: false });
    const stop = new AbortController();
    const watched = (async () => {
      for await (const _event of client.tasks.watch(taskId, { signal: stop.signal })) stop.abort();
    })();
    await expect(watched).rejects.toThrow();
  });

  it('is a command', async () => {
    const taskId = await newTask();
    const env = { ATHENA_URL: stack.url, ATHENA_API_KEY: stack.apiKey };
    const watch = new AthenaProcess(['task', 'watch', taskId], { cwd, env });
    for (const n of [1, 2, 3]) {
      await watch.says(`| step ${n}`);
      next();
    }
    const { status, stdout } = await watch.ended;
    expect(status).toBe(0);
    expect(stdout).toMatch(/TaskProgressed {2}50 % {2}\{"done":2\}\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toContain('TaskCompleted');
  });
});
