import { setTimeout as pass } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { AppendRefused, subjectOf } from '@athena/event-log';
import { CommitChain } from '@athena/testing';
import { NatsBroker } from '@athena/testing/broker';
import { ensureStream, requireVersion, type StreamWatch } from './ensure-stream.js';
import { JetStreamLog } from './jetstream-log.js';
import { CONFIG_VERSION_KEY, STREAM_NAME, type Drift } from './stream-config.js';

const MIB = 1024 * 1024;

describe('ensureStream', () => {
  let broker: NatsBroker;
  let nc: NatsConnection;
  let manager: JetStreamManager;
  let reports: (readonly Drift[])[];
  const watches: StreamWatch[] = [];
  beforeAll(async () => {
    broker = await NatsBroker.start();
    nc = await broker.connect();
    manager = await jetstreamManager(nc);
  });
  afterAll(() => broker.stop());
  beforeEach(() => {
    reports = [];
  });
  afterEach(async () => {
    for (const watch of watches.splice(0)) watch.stop();
    await manager.streams.delete(STREAM_NAME).catch(() => false);
  });

  async function ensured(maxBytes = 64 * MIB): Promise<StreamWatch> {
    const onDrift = (drift: readonly Drift[]): unknown => reports.push(drift);
    const watch = await ensureStream(nc, { maxBytes, onDrift, checkMs: 50 });
    watches.push(watch);
    return watch;
  }
  const live = async () => (await manager.streams.info(STREAM_NAME)).config;
  const change = async (fields: object): Promise<void> => {
    await manager.streams.update(STREAM_NAME, { ...(await live()), ...fields });
  };
  const reported = async (count: number): Promise<void> => {
    for (let n = 0; reports.length < count && n < 100; n++) await pass(20);
    expect(reports).toHaveLength(count);
  };

  it('makes a stream that keeps everything and refuses when it is full', async () => {
    await ensured();
    expect(await live()).toMatchObject({
      subjects: ['athena.evt.>'],
      storage: 'file',
      num_replicas: 1,
      retention: 'limits',
      discard: 'new',
      max_bytes: 64 * MIB,
      max_age: 0,
      max_msg_size: MIB,
      deny_delete: true,
      deny_purge: true,
      allow_rollup_hdrs: false,
      allow_direct: true,
      compression: 'none',
      metadata: { [CONFIG_VERSION_KEY]: '1' },
    });
    expect(reports).toEqual([]);
  });

  it('may be called by every process at once', async () => {
    await Promise.all([ensured(), ensured(), ensured()]);
    expect(reports).toEqual([]);
  });

  it('lets the log grow, and leaves it where the configured size is smaller', async () => {
    await ensured();
    await ensured(128 * MIB);
    expect((await live()).max_bytes).toBe(128 * MIB);
    reports = [];
    await ensured(32 * MIB);
    expect((await live()).max_bytes).toBe(128 * MIB);
    expect(reports[0]).toEqual([{ field: 'max_bytes', expected: 32 * MIB, found: 128 * MIB }]);
  });

  it('reports within a round what would make the log forget, and when it is in order again', async () => {
    await ensured();
    await change({ max_msgs: 1 });
    await reported(1);
    expect(reports[0]).toEqual([{ field: 'max_msgs', expected: -1, found: 1 }]);
    await change({ max_msgs: -1 });
    await reported(2);
    expect(reports[1]).toEqual([]);
  });

  it('reports settings that were switched on, and a stream that is gone', async () => {
    await ensured();
    await change({ allow_msg_ttl: true });
    await reported(1);
    expect(reports[0]?.map(({ field }) => field)).toEqual(['allow_msg_ttl']);
    await manager.streams.delete(STREAM_NAME);
    await reported(2);
    expect(reports[1]?.map(({ field }) => field)).toEqual(['name']);
  });

  it('brings an older configuration of ours up to date, and leaves a newer one alone', async () => {
    const watch = await ensured();
    await change({ max_age: 3_600_000_000_000, metadata: { [CONFIG_VERSION_KEY]: '0' } });
    await ensured();
    expect((await live()).max_age).toBe(0);
    await change({ max_age: 3_600_000_000_000, metadata: { [CONFIG_VERSION_KEY]: '2' } });
    expect(await watch.check()).toEqual([]);
    await ensured();
    expect((await live()).max_age).toBe(3_600_000_000_000);
  });

  it('does not let anybody delete or purge messages', async () => {
    await ensured();
    await new CommitChain('task.0').appendTo(new JetStreamLog({ nc }));
    await expect(manager.streams.deleteMessage(STREAM_NAME, 1)).rejects.toThrow();
    await expect(manager.streams.purge(STREAM_NAME)).rejects.toThrow();
  });

  it('refuses appends cleanly when the log is full', async () => {
    await ensured(MIB);
    const log = new JetStreamLog({ nc });
    const chain = new CommitChain('task.0');
    await chain.appendTo(log, 1, 'x'.repeat(600_000));
    const append = log.append(subjectOf('task.0'), chain.payload('x'.repeat(600_000)), 1);
    await expect(append).rejects.toThrow(AppendRefused);
    await expect(append).rejects.toThrow('maximum bytes exceeded (10077)');
    expect(await log.endSeq()).toBe(1);
  });

  it('names what to do where the server is too old', () => {
    expect(() => requireVersion('2.10.29')).toThrow('Run 2.12.0 or newer');
    for (const version of ['2.12.0', '2.15.1', '3.0.0']) requireVersion(version);
  });
});
