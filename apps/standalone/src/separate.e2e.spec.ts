import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Agent, AthenaClient, defineTask } from '@athena/sdk';
import { until } from '@athena/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { StartedStack, type Leader } from './separate.scenario.js';

const TASKS = 200;
/** Tasks of one batch of work lie in all of them, and every leader's death concerns them all. */
const PARTITIONS = { ...process.env, ATHENA_TASK_PARTITIONS: '3' };
const WORK_MS = 350;
/** Tasks that must be done between two interruptions. */
const PROGRESS = 12;
/** Standing still for longer than a lease is kept for whoever does. */
const STAND_STILL_MS = 3_000;

const square = defineTask({
  name: 'square',
  input: z.object({ n: z.number() }),
  output: z.object({ n: z.number() }),
  requirements: ['arithmetic'],
});
const ignore = (): void => undefined;
const quiet = { debug: ignore, info: ignore, warn: ignore, error: ignore };

let dataDir: string;
let stack: StartedStack;
let client: AthenaClient;
let agents: Agent[] = [];

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'athena-separate-'));
  stack = await StartedStack.start(dataDir, ['--separate'], PARTITIONS);
  const { gatewayUrl: url, apiKey } = stack.connection;
  client = await AthenaClient.connect({ url, apiKey });
}, 60_000);
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.stop()));
  agents = [];
});
afterAll(async () => {
  await client?.close();
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function startAgent(
  agentId: string,
  capability: string,
  work: (n: number) => Promise<number>,
): Promise<void> {
  const { natsUrl, project, apiKey } = stack.connection;
  const about = { agentId, capabilities: [capability], concurrency: 2, log: quiet };
  const agent = new Agent({ natsUrl, project, apiKey, ...about });
  agent.handle(square, async ({ n }) => ({ n: await work(n) }));
  await agent.start();
  agents.push(agent);
}

const owner = (): Promise<Leader> => stack.leaderOf('task-queue', 'task.0', 'owner');
const registrar = (): Promise<Leader> => stack.leaderOf('agent-registry', 'agent.0', 'owner');
const activeRouter = (): Promise<Leader> => stack.leaderOf('router', 'router', 'active');

const create = (requirement = 'nobody-can'): Promise<unknown> =>
  client.tasks.create({ content: { n: 0 }, taskType: 'square', requirements: [requirement] });
const register = (): Promise<unknown> =>
  stack.request('PUT', '/v1/agents/passer-by', { capabilities: ['passing'] });

/** Milliseconds from the signal to the first work that was done again. */
async function takeOver(
  { pid }: Leader,
  signal: 'SIGKILL' | 'SIGSTOP',
  work: () => Promise<unknown>,
): Promise<number> {
  process.kill(pid, signal);
  const since = performance.now();
  await work();
  return Math.round(performance.now() - since);
}

async function standStill(leader: Leader): Promise<number> {
  const ms = await takeOver(leader, 'SIGSTOP', create);
  await pause(Math.max(0, STAND_STILL_MS - ms));
  process.kill(leader.pid, 'SIGCONT');
  return ms;
}

async function outcomesOf(handles: readonly { readonly taskId: string }[]): Promise<number[]> {
  return Promise.all(
    handles.map(async ({ taskId }) => {
      const { events } = await client.tasks.events({ taskId });
      return events.filter(({ type }) => /^Task(Completed|Failed|Cancelled)$/.test(type)).length;
    }),
  );
}

describe('a process per service', () => {
  it('loses nothing while leaders die and stand still, and is soon led again', async () => {
    let done = 0;
    const work = async (n: number): Promise<number> => {
      await pause(WORK_MS);
      done += 1;
      return n * n;
    };
    for (const name of ['kim', 'lee', 'max']) await startAgent(name, 'arithmetic', work);
    let probed = ignore;
    await startAgent('probe', 'probing', async (n) => {
      probed();
      return n;
    });
    const assignment = async (): Promise<void> => {
      const began = new Promise<void>((resolve) => (probed = resolve));
      await create('probing');
      await began;
    };
    const more = (): Promise<void> => {
      const before = done;
      return until(
        () => done >= before + PROGRESS,
        () => `more than ${done} are done`,
      );
    };
    const inputs = Array.from({ length: TASKS }, (_, n) => ({ input: { n } }));
    const handles = await client.submitMany(square, inputs);

    const killed = await owner();
    const tookMs: Record<string, number> = {};
    tookMs['create'] = await takeOver(killed, 'SIGKILL', create);
    await more();
    tookMs['register'] = await takeOver(await registrar(), 'SIGKILL', register);
    await more();
    tookMs['assignment'] = await takeOver(await activeRouter(), 'SIGKILL', assignment);
    await more();
    await stack.untilBack(killed);
    tookMs['create, owner stopped'] = await standStill(await owner());
    await more();
    const doneWhenCalm = done;

    const results = await Promise.all(handles.map((one) => one.result({ timeoutMs: 40_000 })));
    // How long it takes is measured by `npm run chaos`, on a machine that does nothing else.
    console.info('take-over, ms:', tookMs, `${doneWhenCalm} of ${TASKS} tasks were done by then`);
    expect(results.map(({ n }) => n)).toEqual(inputs.map(({ input }) => input.n ** 2));
    expect(await outcomesOf(handles)).toEqual(handles.map(() => 1));
    expect(doneWhenCalm).toBeLessThan(TASKS);
    await owner(); // Of the two, the one that stood still follows again.
  }, 90_000);

  it('finds its data again in one process', async () => {
    const { taskId } = await client.tasks.create({ content: 'kept', taskType: 'square' });
    expect(await stack.stop()).toBe(0);
    stack = await StartedStack.start(dataDir, []);
    const pids = Object.values(stack.connection.services).map(({ pid }) => pid);
    expect(new Set(pids).size).toBe(1);
    expect(await stack.request('GET', `/v1/tasks/${taskId}`)).toMatchObject({ content: 'kept' });
  }, 60_000);
});
