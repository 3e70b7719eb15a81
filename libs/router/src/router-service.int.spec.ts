import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AGENT_NOT_FOUND,
  createTask,
  pollTasks,
  registerAgent,
  routingStats,
  type ClaimedTask,
} from '@athena/contracts';
import { MemoryLog } from '@athena/event-log';
import { KvLease } from '@athena/event-log-jetstream';
import { CONTACT_SUBJECT, agentSubject } from '@athena/operation';
import { OperationClient, PartitionHost } from '@athena/service-kit';
import { connect, type Msg, type NatsConnection } from '@nats-io/transport-node';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import { registry } from '../../agent-registry/src/domain/registry.js';
import { taskDecider } from '../../task-queue/src/domain/decider.js';
import { RouterService } from './router-service.js';
import { HandedLease, until } from '@athena/testing';

const OWNED = new HandedLease();
OWNED.hand(true);

let server: RunningNats;
let nats: NatsConnection;
let log: MemoryLog;
let calls: OperationClient;
let owners: { close(): Promise<void> }[];
let routers: { service: RouterService; nats: NatsConnection; calls: OperationClient }[];

const connectCore = (): Promise<NatsConnection> =>
  connect({ servers: server.url, user: server.core.user, pass: server.core.password });

beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());
beforeEach(async () => {
  nats = await connectCore();
  log = new MemoryLog();
  calls = new OperationClient({ nats });
  routers = [];
  const common = { nats, log, lease: OWNED, owner: 'test', number: 0 };
  const task = new PartitionHost({
    ...common,
    aggregate: 'task',
    decider: taskDecider({ partition: 0 }),
  });
  const agent = new PartitionHost({ ...common, aggregate: 'agent', decider: registry });
  owners = [task, agent];
  task.start();
  agent.start();
});
afterEach(async () => {
  for (const router of routers) {
    await router.service.stop();
    router.calls.close();
    await router.nats.close();
  }
  await Promise.all(owners.map((owner) => owner.close()));
  calls.close();
  await nats.close();
  OWNED.hand(true);
});

/** A router as a process of it has it: a connection, a lease and a name of its own. */
async function startRouter(name: string, becomes = 'active'): Promise<RouterService> {
  const own = await connectCore();
  const ownCalls = new OperationClient({ nats: own });
  const service = new RouterService({
    nats: own,
    log,
    feed: log,
    lease: new KvLease({ nc: own, role: 'router', holder: name }),
    owner: name,
    calls: ownCalls,
  });
  routers.push({ service, nats: own, calls: ownCalls });
  service.start();
  await until(() => service.readiness.state === becomes, `router ${name} being ${becomes}`);
  expect(service.readiness.ready).toBe(true);
  return service;
}

const claim = (agentId: string, claimId: string, more = {}): Promise<Msg> => {
  const body = JSON.stringify({ capacity: 1, waitMs: 5_000, claimId, ...more });
  return nats.request(agentSubject('p', agentId, 'claim'), body, { timeout: 8_000 });
};
const tasksOf = (reply: Msg): ClaimedTask[] => reply.json<{ tasks: ClaimedTask[] }>().tasks;
const register = (agentId: string, actor = `agent:${agentId}`) =>
  calls.call(
    registerAgent,
    { agentId, capabilities: [], maxConcurrentTasks: 2 },
    { project: 'p', actor },
  );
const create = async (content: unknown): Promise<string> => {
  const input = createTask.input.parse({ content, taskType: 'work' });
  return (await calls.call(createTask, input, { project: 'p', actor: 'key:k' })).output.taskId;
};

describe('over NATS', () => {
  it('an agent claims and gets its task; that it was heard from is told', async () => {
    await startRouter('one');
    const contacts: unknown[] = [];
    nats.subscribe(CONTACT_SUBJECT, {
      callback: (_error, message) => void contacts.push(message.json()),
    });
    await register('a');
    const reply = claim('a', 'c1');
    const taskId = await create({ text: 'sum this' });

    expect(tasksOf(await reply)).toMatchObject([{ taskId, content: { text: 'sum this' } }]);
    expect(tasksOf(await claim('a', 'c1'))).toMatchObject([{ taskId }]);
    await until(() => contacts.length > 0, 'the contact');
    expect(contacts).toEqual([{ agents: [['p', 'a']] }]);
  });

  it('an agent that nobody registered, or that asks wrongly, is told so', async () => {
    await startRouter('one');
    const errorOf = ({ headers }: Msg): unknown => [
      headers?.get('Nats-Service-Error-Code'),
      headers?.get('Nats-Service-Error'),
    ];
    expect(errorOf(await claim('ghost', 'c1'))).toEqual(['404', AGENT_NOT_FOUND.code]);
    expect(errorOf(await claim('ghost', 'c1', { capacity: 0 }))).toEqual(['400', 'INVALID_INPUT']);
  });

  it('another process takes over within two seconds and answers what was parked', async () => {
    const first = await startRouter('first');
    const second = await startRouter('second', 'standby');
    await register('a');
    const parked = claim('a', 'c1');
    await calls.call(routingStats, {}, { project: 'p', actor: 'key:k' });

    const began = Date.now();
    await first.stop();
    await until(() => second.readiness.state === 'active', 'the take-over');
    expect(Date.now() - began).toBeLessThan(2_000);
    const taskId = await create(1);

    expect(tasksOf(await parked)).toMatchObject([{ taskId }]);
    const { output } = await calls.call(routingStats, {}, { project: 'p', actor: 'key:k' });
    expect(output.assigned).toBe(1);
  });

  it('a process that starts later serves what was parked before it listened', async () => {
    const first = await startRouter('first');
    await register('a');
    const parked = claim('a', 'c1', { waitMs: 20_000 });
    await until(() => first.parked === 1, 'the claim to be parked');
    const second = await startRouter('second', 'standby');
    await until(() => second.parked === 1, 'the claim to be handed over');

    await routers[0]?.nats.close();
    await until(() => second.readiness.state === 'active', 'the take-over');
    const taskId = await create(1);

    expect(tasksOf(await parked)).toMatchObject([{ taskId }]);
  });

  it('a polling agent fetches over the service’s operation', async () => {
    await startRouter('one');
    await register('poller', 'key:k');
    const taskId = await create(1);

    const caller = { project: 'p', actor: 'key:k' };
    const { output } = await calls.call(pollTasks, { agentId: 'poller', limit: 5 }, caller);

    expect(output.tasks).toMatchObject([{ taskId }]);
  });
});
