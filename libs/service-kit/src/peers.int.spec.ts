import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { pollTasks } from '@athena/contracts';
import { MemoryLog } from '@athena/event-log';
import { PROTOCOL, Refused, partitionSubject } from '@athena/operation';
import { HandedLease, until } from '@athena/testing';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import { add, counting } from './counting.scenario.js';
import { OperationClient } from './operation-client.js';
import { PartitionHost } from './partition-host.js';
import { PEER_REMEMBERED_MS, Peers, type IncompatiblePeer } from './peers.js';
import { ServiceEndpoint } from './service-endpoint.js';

const caller = { project: 'p', actor: 'key:k' };
const OTHER = PROTOCOL + 1;

let server: RunningNats;
let nats: NatsConnection;
let log: MemoryLog;
let now: number;
let here: Peers;
let there: Peers;
let told: IncompatiblePeer[];
let host: PartitionHost<unknown>;
let endpoint: ServiceEndpoint;
let newer: OperationClient;
let same: OperationClient;
let handled: number;

beforeAll(async () => {
  server = await startNats();
});
afterAll(() => server.stop());
beforeEach(async () => {
  nats = await connect({ servers: server.url, user: 'core', pass: server.core.password });
  [log, now, told, handled] = [new MemoryLog(), Date.now(), [], 0];
  const clock = { now: () => now };
  here = Peers.of(nats);
  there = new Peers({ protocol: OTHER, clock });
  for (const peers of [here, there]) peers.onIncompatible = (peer) => void told.push(peer);
  const part = { nats, aggregate: 'access', number: 0, decider: counting, log, owner: 'here' };
  host = new PartitionHost({ ...part, lease: new HandedLease(true) }) as PartitionHost<unknown>;
  host.start();
  const handle = async (): Promise<{ output: never; seq: number }> => {
    handled++;
    return { output: { tasks: [] } as never, seq: 1 };
  };
  endpoint = new ServiceEndpoint({
    nats,
    service: 'router',
    handlers: [{ operation: pollTasks, handle }],
  });
  newer = new OperationClient({ nats, peers: there });
  same = new OperationClient({ nats });
  await until(() => host.state === 'owner');
});
afterEach(async () => {
  newer.close();
  same.close();
  await endpoint.close();
  await host.close();
  await nats.close();
});

const poll = (client: OperationClient): Promise<unknown> =>
  client.call(pollTasks, { agentId: 'a', limit: 1 }, caller);

describe('a process of another protocol', () => {
  it('is refused by owners and services, with both versions named, and changes nothing', async () => {
    const before = log.messages.length;
    for (const asked of [newer.call(add, { by: 1 }, caller), poll(newer)]) {
      await expect(asked).rejects.toThrow(Refused);
      await expect(asked).rejects.toMatchObject({
        refusal: {
          code: 'INCOMPATIBLE_PEER',
          detail: expect.stringMatching(`speaks protocol ${PROTOCOL}, its caller ${OTHER}`),
        },
      });
    }
    expect([log.messages.length - before, handled]).toEqual([0, 0]);
    expect((await same.call(add, { by: 1 }, caller)).output).toBe(1);
  });

  it('is told of once on either side, and seen in the readiness answer until it is gone', async () => {
    for (let n = 0; n < 3; n++) await newer.call(add, { by: 1 }, caller).catch(() => undefined);

    const where = partitionSubject('access', 0);
    expect(told).toEqual([
      { where, ours: PROTOCOL, theirs: OTHER },
      { where, ours: OTHER, theirs: PROTOCOL },
    ]);
    // Whoever is not understood can't do its work; a stray caller keeps nobody from theirs.
    expect(there.readiness).toEqual({
      ready: false,
      state: `protocol ${OTHER}; met protocol ${PROTOCOL} at ${where}: run one release everywhere`,
    });
    expect(here.readiness).toMatchObject({ ready: true, state: expect.stringContaining('met') });
    now += PEER_REMEMBERED_MS;
    expect(there.readiness).toEqual({ ready: true, state: `protocol ${OTHER}` });
  });

  it('is recognised even where nothing else of its messages can be read', async () => {
    const strange = JSON.stringify({ protocol: 9, commands: 'otherwise' });
    const reply = await nats.request(partitionSubject('access', 0), strange);
    expect(reply.json()).toMatchObject({
      protocol: PROTOCOL,
      items: [{ refusal: { code: 'INCOMPATIBLE_PEER' } }],
    });
  });
});
