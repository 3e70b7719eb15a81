import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  MemoryLog,
  MemoryStateStore,
  decodeCommit,
  subjectOf,
  type Decider,
} from '@athena/event-log';
import { HandedLease, until } from '@athena/testing';
import { Refused, partitionSubject } from '@athena/operation';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import { add, after, counting, type Count } from './counting.scenario.js';
import { OperationClient } from './operation-client.js';
import { PartitionHost, type HostState } from './partition-host.js';

let server: RunningNats;
let nats: NatsConnection;
let client: OperationClient;
let log: MemoryLog;
let store: MemoryStateStore;
let hosts: PartitionHost<Count>[];
const caller = { project: 'p', actor: 'key:k' };

beforeAll(async () => {
  server = await startNats();
  nats = await connect({ servers: server.url, user: 'core', pass: server.core.password });
});
afterAll(async () => {
  await nats.close();
  await server.stop();
});
beforeEach(() => {
  client = new OperationClient({ nats });
  log = new MemoryLog();
  store = new MemoryStateStore();
  hosts = [];
});
afterEach(async () => {
  client.close();
  await Promise.all(hosts.map((host) => host.close()));
});

async function host(
  lease = new HandedLease(true),
  more: Partial<ConstructorParameters<typeof PartitionHost<Count>>[0]> = {},
): Promise<PartitionHost<Count>> {
  const options = { nats, aggregate: 'access', number: 0, decider: counting, log, store, lease };
  const made = new PartitionHost<Count>({ ...options, owner: 'test', ...more });
  hosts.push(made);
  made.start();
  await until(() => made.readiness.ready);
  return made;
}
const increase = async (by: number): Promise<number> =>
  (await client.call(add, { by }, caller)).output;

describe('an owner', () => {
  it('opens, serves, and answers with the position in the log', async () => {
    const owner = await host();

    const called = await client.call(add, { by: 2 }, caller);

    expect(owner.state).toBe('owner');
    expect(called).toEqual({ output: 2, seq: 2 });
    expect(log.messages.map(({ subject }) => subject)).toEqual(
      Array(2).fill(subjectOf('access.0')),
    );
  });

  it('decides what was called together in one commit', async () => {
    await host();

    const counts = await Promise.all(Array.from({ length: 50 }, () => increase(1)));

    expect(Math.max(...counts)).toBe(50);
    expect(log.messages).toHaveLength(2);
  });

  it('answers a long poll as soon as there is something, others meanwhile', async () => {
    await host();
    const waiting = client.call(after, { reached: 3, waitMs: 5_000 }, caller);
    await increase(1);

    await increase(2);

    expect((await waiting).output).toBe(3);
  });

  it('stands down and opens anew when the log takes nothing', async () => {
    const states: HostState[] = [];
    const failures: string[] = [];
    await host(new HandedLease(true), {
      observer: {
        stateChanged: (_name, state) => states.push(state),
        failed: (_name, error) => failures.push(error.message),
      },
    });
    log.failNext({ kind: 'refuse', reason: 'full' });

    const refused = client.call(add, { by: 1 }, caller);

    await expect(refused).rejects.toThrow(/UNAVAILABLE.*full/);
    expect(await increase(5)).toBe(5);
    expect(states).toEqual(['owner', 'opening', 'owner']);
    expect(failures).toEqual(['full']);
  });

  it('closes gracefully: answers what it has, stores its state, gives the lease up', async () => {
    const lease = new HandedLease(true);
    const owner = await host(lease);
    const open = client.call(after, { reached: 9, waitMs: 3_000 }, { ...caller, budgetMs: 300 });
    const done = increase(4);
    await done;

    await owner.close();
    const next = await host();

    expect(owner.state).toBe('closed');
    expect(lease.released).toBe(true);
    expect((await store.load('access.0'))?.rows).toMatchObject([{ key: 'value', json: '4' }]);
    expect(next.partition?.epoch).toBe(2);
    await increase(5);
    expect((await open).output).toBe(9);
  });

  it('restarts the clocks that judge others when its connection is back', async () => {
    await host();
    const events = (): object[] =>
      log.messages.flatMap(
        ({ seq, subject, payload }) => decodeCommit(seq, subject, payload).events,
      );

    await nats.reconnect();
    await until(() => events().length > 1);

    expect(events()).toMatchObject([
      { type: 'PartitionOpened' },
      { type: 'ClocksRestarted', data: { stalledMs: expect.any(Number) } },
    ]);
  });

  it('tells its service when it is open and when no more', async () => {
    const told: string[] = [];
    const owner = await host(new HandedLease(true), {
      onOpen: (partition) => void told.push(`open ${partition.epoch}`),
      onClose: () => void told.push('closed'),
    });

    await owner.close();

    expect(told).toEqual(['open 1', 'closed']);
  });
});

describe('a standby', () => {
  it('follows, takes over when it is handed the lease, and fences the owner', async () => {
    const lease = new HandedLease(true);
    const owner = await host(lease);
    const standbyLease = new HandedLease(false);
    const standby = await host(standbyLease, { store: new MemoryStateStore() });
    expect([owner.state, standby.state]).toEqual(['owner', 'standby']);
    await increase(7);

    lease.hand(false);
    standbyLease.hand(true);
    await until(() => standby.state === 'owner' && owner.state === 'standby');

    expect(await increase(1)).toBe(8);
    expect(standby.partition?.epoch).toBe(2);
  });

  it('takes over calls that went to an owner which never answers', async () => {
    const lease = new HandedLease(true);
    await host(lease);
    await increase(1);
    const standbyLease = new HandedLease(false);
    const standby = await host(standbyLease);
    log.failNext({ kind: 'lose' });
    const call = increase(1);
    await pause(50);

    lease.hand(false);
    standbyLease.hand(true);
    await until(() => standby.state === 'owner');

    expect(await call).toBe(2);
  });
});

describe('messages that are none', () => {
  it.each(['', 'not JSON', '[]', '{"items":[]}', '{"items":[{"op":"x"}]}', '{"items":7}'])(
    'get a refusal: %j',
    async (text) => {
      await host();

      const reply = await nats.request(partitionSubject('access', 0), text, { timeout: 1_000 });

      expect(reply.json()).toMatchObject({ items: [{ refusal: { code: 'INVALID_INPUT' } }] });
    },
  );
});

it('an answer that no message could carry is refused by size', async () => {
  const huge: Decider<Count> = {
    ...counting,
    decide: () => ({ events: [], answer: () => 'x'.repeat(2_000_000) }),
  };
  await host(new HandedLease(true), { decider: huge });

  const call = client.call(add, { by: 1 }, caller);

  await expect(call).rejects.toThrow(Refused);
  await expect(call).rejects.toThrow(/PAYLOAD_TOO_LARGE/);
});

it('many large answers come in several messages', async () => {
  const large: Decider<Count> = {
    ...counting,
    decide: (_state, { id }) => ({ events: [], answer: () => id + 'x'.repeat(100_000) }),
  };
  await host(new HandedLease(true), { decider: large });

  const ids = Array.from({ length: 30 }, (_, n) => `${n}`);
  const calls = ids.map((id) => client.call(add, { by: 1 }, { ...caller, id }));

  const answers = (await Promise.all(calls)).map(({ output }) => String(output).replace(/x+$/, ''));
  expect(answers).toEqual(ids);
});

describe('a process of an older release', () => {
  const refusing = async (
    more: Partial<ConstructorParameters<typeof PartitionHost<Count>>[0]>,
  ): Promise<{ old: PartitionHost<Count>; lease: HandedLease; said: string[] }> => {
    const said: string[] = [];
    const lease = new HandedLease(false);
    const options = { nats, aggregate: 'access', number: 0, decider: counting, log, lease };
    const observer = { failed: (_name: string, error: Error) => void said.push(error.message) };
    const old = new PartitionHost<Count>({ ...options, owner: 'old', observer, ...more });
    hosts.push(old);
    old.start();
    await until(() => old.state !== 'opening');
    return { old, lease, said };
  };
  const untilOutdated = (old: PartitionHost<Count>): Promise<void> =>
    until(() => old.state === 'outdated', 'the older one stepping back');
  const knowingLess: Decider<Count> = { ...counting, events: [] };

  it('follows, and steps back for good when it meets an event that it does not know', async () => {
    const { old, lease, said } = await refusing({ decider: knowingLess });
    expect(old.readiness).toEqual({ ready: true, state: 'standby' });
    const owner = new HandedLease(true);
    const newer = await host(owner);
    await increase(1);
    await untilOutdated(old);
    expect(old.readiness).toEqual({ ready: false, state: 'outdated' });
    expect(said).toEqual([
      expect.stringMatching(/access\.0: the log holds Added v1, which .*later/),
    ]);

    await newer.close();
    lease.hand(true);
    await pause(100);
    expect([old.state, log.messages.length]).toEqual(['outdated', 2]);
  });

  it('never opens what it can’t fold, however it starts', async () => {
    const newer = await host();
    await increase(1);
    await newer.close();
    const { old } = await refusing({ decider: knowingLess, lease: new HandedLease(true) });

    await untilOutdated(old);
    expect(log.messages).toHaveLength(2);
  });

  it('takes over from an owner of its own protocol only', async () => {
    const newer = await host(new HandedLease(true), { protocol: 2 });
    await newer.close();
    const { old, said } = await refusing({ lease: new HandedLease(true) });

    await untilOutdated(old);
    expect(said[0]).toMatch(/opened by an owner of protocol 2, this process speaks 1/);
    expect((await host(new HandedLease(true), { protocol: 2 })).state).toBe('owner');
  });
});
