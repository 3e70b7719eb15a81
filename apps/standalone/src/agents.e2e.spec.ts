import { AthenaClient } from '@athena/sdk';
import { LocalStack, until } from '@athena/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { BareAgent, type Answer } from './bare-agent.scenario.js';

/** What the platform promises from an agent's death to its work with another. */
const ELSEWHERE_MS_MAX = 5_000;

let stack: LocalStack;
let client: AthenaClient;
let agents: BareAgent[] = [];
let names = 0;

beforeAll(async () => {
  stack = await LocalStack.start();
  client = await AthenaClient.connect({ url: stack.url, apiKey: stack.apiKey });
}, 60_000);
afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.kill()));
  agents = [];
});
afterAll(async () => {
  await client?.close();
  await stack?.stop();
});

const newName = (noun: string): string => `${noun}-${++names}`;
const claimOf = (capacity = 1): object => ({ capacity, waitMs: 15_000, claimId: newName('claim') });
const newTask = async (skill: string): Promise<string> =>
  (await client.tasks.create({ content: 1, taskType: 'any', requirements: [skill] })).taskId;
const typesOf = async (taskId: string): Promise<string[]> =>
  (await client.tasks.events({ taskId })).events.map(({ type }) => type);

async function bareAgent(skill: string, agentId = newName('bare')): Promise<BareAgent> {
  const agent = new BareAgent(stack, agentId);
  agents.push(agent);
  const registered = await agent.ask('register', { capabilities: [skill], maxConcurrentTasks: 2 });
  expect(registered).toMatchObject({ registered: true });
  return agent;
}

const started = async (agent: BareAgent): Promise<{ taskId: string; lease: string }> => {
  const { tasks = [] } = await agent.ask('claim', claimOf());
  const { taskId, lease } = tasks[0]!;
  expect(await agent.ask('start', { taskId, lease })).toMatchObject({ status: 'running' });
  return { taskId, lease };
};

describe('a bare agent whose task is cancelled', () => {
  it('is told at once where it has a claim open', async () => {
    const skill = newName('skill');
    const agent = await bareAgent(skill);
    const taskId = await newTask(skill);
    await started(agent);
    const claim = agent.ask('claim', claimOf());
    const since = performance.now();
    await client.tasks.cancel({ taskId });
    expect(await claim).toEqual({ tasks: [], cancelled: [taskId] });
    expect(performance.now() - since).toBeLessThan(ELSEWHERE_MS_MAX);
  });

  it('is told with its heartbeats and reports where it has none, and refused the outcome', async () => {
    const skill = newName('skill');
    const agent = await bareAgent(skill);
    await newTask(skill);
    const kept = await started(agent);
    await newTask(skill);
    const lost = await started(agent);
    await client.tasks.cancel({ taskId: lost.taskId });

    const progress = await agent.ask('progress', { ...kept, percent: 10 });
    expect(progress).toMatchObject({ status: 'running', cancelled: [lost.taskId] });
    const beat = async (): Promise<Answer> => agent.ask('heartbeat');
    await until(async () => (await beat()).cancelled?.includes(lost.taskId) ?? false);
    expect((await agent.ask('heartbeat', { heard: [lost.taskId] })).cancelled).toEqual([]);
    expect(await agent.ask('complete', { ...lost, result: 1 })).toMatchObject({
      code: 'TASK_CANCELLED',
    });
    expect(await agent.ask('complete', { ...kept, result: 1 })).toMatchObject({
      status: 'completed',
    });
    expect(await typesOf(lost.taskId)).not.toContain('TaskCompleted');
  });
});

describe('a polling agent whose task is cancelled', () => {
  it('is told by poll and heartbeat, and refused the outcome', async () => {
    const [agentId, skill] = [newName('poller'), newName('skill')];
    await client.agents.register({ agentId, capabilities: [skill] });
    const taskId = await newTask(skill);
    const { tasks } = await client.agents.poll({ agentId });
    const lease = tasks[0]!.lease;
    await client.tasks.start({ taskId, lease });
    await client.tasks.cancel({ taskId });

    await until(async () => (await client.agents.poll({ agentId })).cancelled.includes(taskId));
    expect((await client.agents.heartbeat({ agentId })).cancelled).toEqual([taskId]);
    const answer = await client.agents.heartbeat({ agentId, heard: [taskId] });
    expect(answer.cancelled).toEqual([]);
    await expect(client.tasks.complete({ taskId, lease, result: 1 })).rejects.toMatchObject({
      code: 'TASK_CANCELLED',
    });
  });
});

describe('a bare agent', () => {
  it('that is killed loses its work to another within seconds, and does not get it back', async () => {
    const skill = newName('skill');
    const agentId = newName('bare');
    const dying = await bareAgent(skill, agentId);
    const taskId = await newTask(skill);
    await started(dying);
    const other = await bareAgent(skill);
    const claim = other.ask('claim', claimOf());

    const since = performance.now();
    await dying.kill();
    const { tasks = [] } = await claim;
    const tookMs = performance.now() - since;

    expect(tasks).toMatchObject([{ taskId, attempt: 2 }]);
    console.info(`the work was with another after ${Math.round(tookMs)} ms`);
    expect(tookMs).toBeLessThan(ELSEWHERE_MS_MAX);
    // The archive follows the log.
    const release = async (): Promise<unknown> => {
      const { events } = await client.tasks.events({ taskId });
      return events.find(({ type }) => type === 'TaskReleased')?.data;
    };
    await until(async () => (await release()) !== undefined);
    expect(await release()).toMatchObject({
      agentId,
      reason: 'session_ended',
      exclude: true,
    });
  });

  it('that stood still while another took over changes nothing any more', async () => {
    const skill = newName('skill');
    const agentId = newName('bare');
    const zombie = await bareAgent(skill, agentId);
    const taskId = await newTask(skill);
    const old = await started(zombie);
    zombie.signal('SIGSTOP');
    // Its supervisor starts it anew, as it would a process that hangs.
    const successor = await bareAgent(skill, agentId);
    const held = await started(successor);

    const late = [
      zombie.ask('progress', { ...old, percent: 99 }),
      zombie.ask('complete', { ...old, result: 'of the zombie' }),
      zombie.ask('fail', { ...old, error: 'of the zombie' }),
    ];
    zombie.signal('SIGCONT');
    const codes = (await Promise.all(late)).map(({ code }) => code);

    expect(codes).toEqual(['STALE_LEASE', 'STALE_LEASE', 'STALE_LEASE']);
    expect(await client.tasks.get({ taskId })).toMatchObject({ status: 'running', progress: null });
    await successor.ask('complete', { ...held, result: 'of the successor' });
    expect(await client.tasks.get({ taskId })).toMatchObject({ result: 'of the successor' });
    expect(await typesOf(taskId)).not.toContain('TaskProgressed');
  });
});
