import { setTimeout as pass } from 'node:timers/promises';
import { until } from '@athena/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NatsConnection } from '@nats-io/transport-node';
import { NatsBroker } from '@athena/testing/broker';
import { KvLease, LEASE_MS } from './kv-lease.js';

describe('KvLease', () => {
  let broker: NatsBroker;
  let role: string;
  let roles = 0;
  let open: { nc: NatsConnection; lease: KvLease }[];
  beforeAll(async () => {
    broker = await NatsBroker.start();
  });
  afterAll(() => broker.stop());
  beforeEach(() => {
    role = `role-${++roles}`;
    open = [];
  });
  afterEach(async () => {
    for (const { lease, nc } of open) {
      await lease.release();
      await broker.disconnect(nc);
    }
  });

  async function compete(holder: string, storage: 'memory' | 'file' = 'memory'): Promise<KvLease> {
    const nc = await broker.connect();
    const lease = new KvLease({ nc, role, holder, storage });
    open.push({ nc, lease });
    return lease;
  }

  it('goes to exactly one of several, and stays with it while that renews it', async () => {
    const leases = await Promise.all(['a', 'b', 'c'].map((holder) => compete(holder)));
    await until(() => leases.some(({ held }) => held));
    const held = leases.map((lease) => lease.held);
    const changes: boolean[] = [];
    for (const lease of leases) lease.onChange((now) => changes.push(now));
    await pass(2 * LEASE_MS);
    expect(leases.map((lease) => lease.held)).toEqual(held);
    expect(held.filter(Boolean)).toHaveLength(1);
    expect(changes).toEqual([]);
  });

  it('goes to the standby at once when it is released', async () => {
    const holder = await compete('a');
    await until(() => holder.held);
    const standby = await compete('b');
    await pass(300);
    const began = performance.now();
    await holder.release();
    await until(() => standby.held);
    expect(performance.now() - began).toBeLessThan(LEASE_MS / 4);
    expect(holder.held).toBe(false);
  });

  it('goes to the standby before it runs out when its holder’s connection is gone', async () => {
    const holder = await compete('a');
    await until(() => holder.held);
    const standby = await compete('b');
    await pass(300);
    const began = performance.now();
    await open[0]?.nc.close();
    await until(() => standby.held);
    expect(performance.now() - began).toBeLessThan(LEASE_MS);
  });

  it('stays with a holder that connects again at once', async () => {
    const holder = await compete('a');
    await until(() => holder.held);
    const standby = await compete('b');
    await pass(300);
    await open[0]?.nc.reconnect();
    await pass(LEASE_MS);
    expect([holder.held, standby.held]).toEqual([true, false]);
  });

  it('tells a holder at its next renewal that somebody else has the key', async () => {
    const holder = await compete('a');
    await until(() => holder.held);
    const changes: boolean[] = [];
    holder.onChange((held) => changes.push(held));
    const other = await broker.connect();
    other.publish(`$KV.athena_leases.${role}`, '{"holder":"somebody else"}');
    await until(() => !holder.held);
    expect(changes).toEqual([false]);
    await broker.disconnect(other);
  });

  it('is not held by a process that stood still, until that has looked', async () => {
    const holder = await compete('a');
    await until(() => holder.held);
    const changes: boolean[] = [];
    holder.onChange((held) => changes.push(held));
    const end = performance.now() + LEASE_MS + 100;
    while (performance.now() < end);
    expect(holder.held).toBe(false);
    await until(() => holder.held);
    expect(changes).toEqual([false, true]);
  });

  it.each(['memory', 'file'] as const)(
    'has one holder again after the server was killed and restarted (%s)',
    async (storage) => {
      const leases = [await compete('a', storage), await compete('b', storage)];
      await until(() => leases.some(({ held }) => held));
      await broker.kill();
      await pass(300);
      await broker.startAgain();
      await pass(LEASE_MS);
      await until(() => leases.filter(({ held }) => held).length === 1);
      await pass(LEASE_MS);
      expect(leases.filter(({ held }) => held)).toHaveLength(1);
    },
  );

  it('stays where it is while the server stands still', async () => {
    const holder = await compete('a');
    await until(() => holder.held);
    const standby = await compete('b');
    await pass(300);
    await broker.freeze();
    await pass(1.5 * LEASE_MS);
    broker.thaw();
    await pass(1.5 * LEASE_MS);
    expect([holder.held, standby.held]).toEqual([true, false]);
  });
});
