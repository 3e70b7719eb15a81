import { until } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  agentHealth,
  agentRecord,
  bindAgent,
  deregisterAgent,
  endSession,
  findAgents,
  fleetStatistics,
  getAgent,
  heartbeatAgent,
  learnCapability,
  registerAgent,
  reportPerformance,
} from '@athena/contracts';
import { decodeCommit } from '@athena/event-log';
import { CONTACT_SUBJECT, agentSubject, type Input, type Operation } from '@athena/operation';
import type { NatsConnection } from '@nats-io/transport-node';
import { RegistryStack } from './agent-registry.scenario.js';
import { findAgentRows } from './operations/agent-rows.js';
import { rowReader } from './operations/read-rows.js';

const DEAD_MS_MAX = 5_000;
const TASK = '01998877-6655-8000-8abc-000000000001';
const OTHER_TASK = '01998877-6655-8000-8000-000000000002';

let stack: RegistryStack;
beforeAll(async () => {
  stack = await RegistryStack.start();
});
afterAll(async () => {
  await stack.stop();
});

const ask = async <T extends Operation>(
  operation: T,
  input: Input<T>,
  { actor = 'key:k1', project = 'default' } = {},
) => (await stack.calls.call(operation, input, { project, actor })).output;
const register = (agentId: string, capabilities: string[] = [], more = {}) =>
  ask(registerAgent, { agentId, capabilities, maxConcurrentTasks: 4, ...more });
const outcome = (agentId: string, durationMs = 0) => ({
  agentId,
  kind: agentId,
  attempt: 1,
  durationMs,
});

describe('one agent', () => {
  it('is read as it was registered, at once', async () => {
    const registered = await register('reads', ['pdf'], { metadata: { region: 'eu' } });

    const record = await ask(getAgent, { agentId: 'reads' });

    expect(agentRecord.parse(record)).toEqual(record);
    expect(record).toMatchObject({
      agentId: 'reads',
      kind: 'reads',
      status: 'online',
      capabilities: ['pdf'],
      maxConcurrentTasks: 4,
      activeTasks: 0,
      utilisation: 0,
      mode: 'poll',
      session: registered.session,
      metadata: { region: 'eu' },
      completed: 0,
      failed: 0,
      successRate: 1,
      avgCompletionMs: null,
    });
  });

  it('shows every write that was acknowledged before', async () => {
    await register('learns');
    for (let n = 0; n < 20; n++) {
      await ask(learnCapability, { agentId: 'learns', capability: `c${n}`, confidence: 1 });
      const { capabilities } = await ask(getAgent, { agentId: 'learns' });
      expect(capabilities).toHaveLength(n + 1);
    }
  });

  it('has its tasks and outcomes counted', async () => {
    await register('works');
    await stack.taskCommit(
      ['TaskAssigned', outcome('works')],
      ['TaskAssigned', outcome('works')],
      ['TaskAssigned', outcome('works')],
      ['TaskCompleted', outcome('works', 100)],
      ['AttemptFailed', outcome('works', 9_999)],
    );

    expect(await ask(getAgent, { agentId: 'works' })).toMatchObject({
      activeTasks: 1,
      utilisation: 0.25,
      completed: 1,
      failed: 1,
      successRate: 0.5,
      avgCompletionMs: 100,
    });
  });

  it('tells its health as it reported it', async () => {
    await register('healthy');
    await ask(heartbeatAgent, { agentId: 'healthy', cpu: 0.5, load: 2 });

    const health = await ask(agentHealth, { agentId: 'healthy' });

    expect(agentHealth.output.parse(health)).toEqual(health);
    expect(health).toMatchObject({ status: 'online', cpu: 0.5, load: 2, memory: null });
    expect(Date.now() - Date.parse(health.lastSeenAt ?? '')).toBeLessThan(5_000);
  });

  it('that nobody knows is not found, nor one of another project', async () => {
    await register('mine');

    await expect(ask(getAgent, { agentId: 'nobody' })).rejects.toThrow(/AGENT_NOT_FOUND/);
    await expect(ask(agentHealth, { agentId: 'mine' }, { project: 'other' })).rejects.toThrow(
      /AGENT_NOT_FOUND.*not known in project other/,
    );
  });
});

describe('searching agents', () => {
  const project = { project: 'search', actor: 'key:k1' };
  const find = (input: Partial<Input<typeof findAgents>>) =>
    ask(findAgents, { requirements: [], limit: 50, ...input }, project);
  const idsOf = ({ agents }: { agents: { agentId: string }[] }) =>
    agents.map(({ agentId }) => agentId);
  let minSeq = 0;

  beforeAll(async () => {
    const join = (agentId: string, capabilities: string[]) =>
      ask(registerAgent, { agentId, capabilities, maxConcurrentTasks: 2 }, project);
    await join('B', ['pdf']);
    await join('a', ['pdf', 'ocr']);
    await join('c', ['ocr', 'sum']);
    await join('gone', ['pdf', 'ocr']);
    const away = await join('d', ['pdf', 'ocr', 'sum']);
    await ask(deregisterAgent, { agentId: 'gone' }, project);
    const ended = await stack.calls.call(
      endSession,
      { agentId: 'd', session: away.session, reason: 'silent' },
      project,
    );
    minSeq = ended.seq;
  });

  it('gives those that have all the capabilities, whole records in the order of ids', async () => {
    const found = await find({ requirements: ['ocr', 'pdf'], minSeq });

    expect(findAgents.output.parse(found)).toEqual(found);
    expect(idsOf(found)).toEqual(['a', 'd']);
    expect(found.agents[1]).toMatchObject({ status: 'offline', successRate: 1 });
  });

  it('gives an empty list where nobody has them', async () => {
    expect(await find({ requirements: ['ocr', 'flying'], minSeq })).toEqual({
      agents: [],
      nextCursor: null,
    });
  });

  it('goes on from page to page', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await find({ minSeq, limit: 1, ...(cursor && { cursor }) });
      seen.push(...idsOf(page));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);

    expect(seen).toEqual(['B', 'a', 'c', 'd']);
  });

  it('tells agents apart by status', async () => {
    expect(idsOf(await find({ status: 'online', minSeq }))).toEqual(['B', 'a', 'c']);
    expect(idsOf(await find({ status: 'offline', minSeq }))).toEqual(['d']);
    expect(idsOf(await find({ status: 'degraded', minSeq }))).toEqual([]);
  });

  it('shows who is present but late as degraded', async () => {
    const query = { ...project, requirements: [], late: ['a', 'd'], after: '', limit: 10 };
    const statuses = async (status?: 'online' | 'degraded') =>
      (await findAgentRows(rowReader(stack.pool), { ...query, status })).map(
        (agent) => `${agent.agentId} ${agent.status}`,
      );

    expect(await statuses()).toEqual(['B online', 'a degraded', 'c online', 'd offline']);
    expect(await statuses('degraded')).toEqual(['a degraded']);
    expect(await statuses('online')).toEqual(['B online', 'c online']);
  });

  it('refuses a cursor that it never gave, and a position that is not reached', async () => {
    await expect(find({ cursor: '%%%' })).rejects.toThrow(/INVALID_INPUT.*cursor/);
    await expect(find({ minSeq: minSeq + 1_000_000 })).rejects.toThrow(/NOT_CAUGHT_UP/);
  });

  it('has figures of the fleet', async () => {
    const statistics = await ask(fleetStatistics, { minSeq }, project);

    expect(fleetStatistics.output.parse(statistics)).toEqual(statistics);
    expect(statistics).toEqual({
      total: 4,
      byStatus: { online: 3, degraded: 0, offline: 1, draining: 0 },
      capacity: 6,
      activeTasks: 0,
      utilisation: 0,
      skills: { ocr: 2, pdf: 2, sum: 1 },
      singlePointsOfFailure: [{ capability: 'sum', agentId: 'c' }],
    });
  });
});

describe('a report of work', () => {
  const report = { agentId: 'reports', success: true, durationMs: 40 };
  beforeAll(() => register('reports'));

  it('counts once, under whichever command', async () => {
    expect(await ask(reportPerformance, report)).toEqual({ agentId: 'reports', counted: true });
    for (let n = 0; n < 2; n++) {
      await ask(reportPerformance, { ...report, durationMs: 80, idempotencyKey: 'once' });
      await ask(reportPerformance, { ...report, durationMs: 90, taskId: 'job-7' });
    }

    expect(await ask(getAgent, { agentId: 'reports' })).toMatchObject({
      completed: 3,
      avgCompletionMs: 70,
    });
  });

  it('of a task of Athena changes nothing; another UUID is work from elsewhere', async () => {
    stack.tasks.add(TASK);
    const before = await ask(getAgent, { agentId: 'reports' });

    for (const taskId of [TASK, TASK.toUpperCase()]) {
      const reported = await ask(reportPerformance, { ...report, taskId });
      expect(reported).toEqual({ agentId: 'reports', counted: false });
    }
    expect(await ask(getAgent, { agentId: 'reports' })).toEqual(before);
    expect(await ask(reportPerformance, { ...report, taskId: OTHER_TASK })).toMatchObject({
      counted: true,
    });
  });

  it('needs an agent', async () => {
    for (const taskId of ['job-1', TASK]) {
      const reporting = ask(reportPerformance, { ...report, agentId: 'nobody', taskId });
      await expect(reporting).rejects.toThrow(/AGENT_NOT_FOUND/);
    }
  });
});

describe('an agent on NATS', () => {
  const say = async (agent: NatsConnection, agentId: string, verb: string, body: object = {}) => {
    const subject = agentSubject('default', agentId, verb);
    const reply = await agent.request(subject, JSON.stringify(body), { timeout: 5_000 });
    return { error: reply.headers?.get('Nats-Service-Error'), ...reply.json<object>() };
  };

  it('registers, lives, drains and leaves by its verbs', async () => {
    await ask(bindAgent, { agentId: 'speaks', credential: 'k7' }, { actor: 'system:gateway' });
    const agent = await stack.agent('speaks');

    expect(await say(agent, 'speaks', 'heartbeat')).toMatchObject({ error: 'AGENT_NOT_FOUND' });
    expect(await say(agent, 'speaks', 'register', { capabilities: 7 })).toMatchObject({
      error: 'INVALID_INPUT',
    });
    expect(await say(agent, 'speaks', 'register', { capabilities: ['pdf'] })).toMatchObject({
      agentId: 'speaks',
      registered: true,
      heartbeatMs: 5_000,
    });
    expect(await say(agent, 'speaks', 'heartbeat', { cpu: 0.25 })).toMatchObject({
      agentId: 'speaks',
    });
    expect(await ask(agentHealth, { agentId: 'speaks' })).toMatchObject({ cpu: 0.25 });
    expect(await ask(getAgent, { agentId: 'speaks' })).toMatchObject({
      mode: 'claim',
      maxConcurrentTasks: 5,
    });
    expect(await say(agent, 'speaks', 'drain')).toMatchObject({ status: 'draining' });
    expect(await say(agent, 'speaks', 'deregister')).toMatchObject({ deregistered: true });
    expect(await say(agent, 'speaks', 'heartbeat')).toMatchObject({ error: 'AGENT_NOT_FOUND' });
    await expect(register('speaks')).rejects.toThrow(/AGENT_ID_TAKEN/);
    await agent.close();
  });

  it('that is gone is known to be within five seconds; one connection left is enough', async () => {
    const dies = await stack.agent('dies');
    const [stays, second] = [await stack.agent('stays'), await stack.agent('stays')];
    await say(dies, 'dies', 'register', { capabilities: [] });
    await say(stays, 'stays', 'register', { capabilities: [] });

    const closedAt = Date.now();
    await Promise.all([dies.close(), stays.close()]);
    await until(async () => (await health('dies')).status === 'offline', 'offline', DEAD_MS_MAX);

    const { at, told } = await ends('dies');
    expect(told).toEqual(['disconnected']);
    expect(at - closedAt).toBeLessThan(DEAD_MS_MAX);
    expect((await health('stays')).status).toBe('online');
    await second.close();
  });

  it('that was away returns with a contact at any door', async () => {
    const { session } = await register('returns');
    await ask(endSession, { agentId: 'returns', session, reason: 'silent' });

    stack.nats.publish(CONTACT_SUBJECT, JSON.stringify({ agents: [['default', 'returns']] }));

    await until(async () => (await health('returns')).status === 'online', 'online', 1_000);
    expect((await ask(getAgent, { agentId: 'returns' })).session).toBeGreaterThan(session);
  });

  const health = (agentId: string) => ask(agentHealth, { agentId });
  const ends = async (agentId: string) => {
    const told: string[] = [];
    let at = 0;
    for await (const commits of stack.log.read({ from: 1 })) {
      for (const commit of commits) {
        for (const { type, id, data } of commit.events) {
          if (type !== 'AgentSessionEnded' || id !== agentId) continue;
          told.push((data as { reason: string }).reason);
          at = commit.at;
        }
      }
    }
    return { at, told };
  };
});

describe('the service', () => {
  it('tells Prometheus how many agents there are', async () => {
    const metrics = await (await stack.management('/metrics')).text();

    expect(metrics).toMatch(/^athena_agents\{state="online"\} [1-9]/m);
    expect(metrics).not.toMatch(/^athena_failures_total\{/m);
  });

  it('goes on after a restart from the state that it stored', async () => {
    const before = await ask(getAgent, { agentId: 'learns' });
    await stack.service.stop();
    const { rows } = await stack.pool.query('select count(*)::int as n from agent_state');
    expect(rows[0].n).toBeGreaterThan(0);

    await stack.startService();
    const opened = await ask(getAgent, { agentId: 'learns' });

    expect(opened).toEqual(before);
    const again = await register('learns', ['c1']);
    expect(again.session).toBeGreaterThan(before.session);
    const end = await stack.log.endSeq();
    const last = await stack.log.get(end);
    expect(last && decodeCommit(last.seq, last.subject, last.payload).header.epoch).toBe(2);
  });
});
