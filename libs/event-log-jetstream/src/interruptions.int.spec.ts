import { setTimeout as pass } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { jetstreamManager } from '@nats-io/jetstream';
import {
  AppendUnknown,
  BrokenSequence,
  LogUnavailable,
  SharedFeed,
  subjectOf,
  type EventLog,
  type Seq,
} from '@athena/event-log';
import { CommitChain, until } from '@athena/testing';
import { NatsBroker, type EmptyLog } from '@athena/testing/broker';
import { JetStreamLog } from './jetstream-log.js';
import { STREAM_NAME } from './stream-config.js';

describe('JetStreamLog through interruptions', () => {
  let broker: NatsBroker;
  let empty: EmptyLog;
  let log: JetStreamLog;
  let chain: CommitChain;
  beforeEach(async () => {
    broker = await NatsBroker.start();
    empty = await broker.emptyLog();
    log = empty.log;
    chain = new CommitChain('task.0');
  });
  afterEach(async () => {
    await empty.end();
    await broker.stop();
  });

  it('delivers without gap or double when the server is killed and restarted, twice', async () => {
    const reader = readerOf(log);
    for (let round = 0; round < 2; round++) {
      await append(log, chain, 50);
      await broker.kill();
      await broker.startAgain();
      await append(log, chain, 50);
    }
    await until(() => reader.seqs.length >= 200);
    expect(reader.seqs).toEqual(upTo(200));
    await reader.follower.stop();
  });

  it('delivers without gap or double when the server stands still for a while', async () => {
    const reader = readerOf(log);
    await append(log, chain, 20);
    await broker.freeze();
    const appending = append(log, chain, 20);
    await pass(3_000);
    broker.thaw();
    await appending;
    await until(() => reader.seqs.length >= 40);
    expect(reader.seqs).toEqual(upTo(40));
    await reader.follower.stop();
  });

  it('does not know the outcome of an append that a standing server has got, which then lands', async () => {
    await broker.freeze();
    const payload = chain.payload();
    const lost = log.append(subjectOf('task.0'), payload, 0);
    await expect(lost).rejects.toBeInstanceOf(AppendUnknown);
    broker.thaw();
    await until(async () => (await log.lastSeq(subjectOf('task.0'))) === 1);
    expect(Buffer.compare((await log.get(1))?.payload as Uint8Array, payload)).toBe(0);
  });

  it('fails at once, and says how, while there is no server', async () => {
    await broker.kill();
    await until(async () => {
      const began = performance.now();
      const failed = await log.endSeq().catch((error: unknown) => error);
      expect(failed).toBeInstanceOf(LogUnavailable);
      return performance.now() - began < 100;
    });
    const append = log.append(subjectOf('task.0'), chain.payload(), 0);
    await expect(append).rejects.toBeInstanceOf(AppendUnknown);
    await expect(log.lastSeq('athena.evt.task.0')).rejects.toThrow('is nats-server up?');
    await broker.startAgain();
  });

  it('breaks a reader off when the restarted server has lost what the reader had', async () => {
    await append(log, chain, 3);
    await broker.kill();
    await broker.keepData();
    await broker.startAgain();
    const reader = readerOf(log);
    await append(log, chain, 2);
    await until(() => reader.seqs.length >= 5);
    await broker.kill();
    await broker.restoreData();
    await broker.startAgain();
    await expect(reader.follower.done).rejects.toThrow(BrokenSequence);
    expect(reader.seqs).toEqual(upTo(5));
  });

  it('breaks a reader off when its last position was given out a second time', async () => {
    await append(log, chain, 3);
    await broker.kill();
    await broker.keepData();
    await broker.startAgain();
    const slowToReturn = new JetStreamLog({ nc: await broker.connect(2_000) });
    const reader = readerOf(slowToReturn);
    await append(log, chain, 2);
    await until(() => reader.seqs.length >= 5);
    const broken = expect(reader.follower.done).rejects.toThrow('another message');
    await broker.kill();
    await broker.restoreData();
    await broker.startAgain();
    await append(log, new CommitChain('agent.0'), 5);
    await broken;
    expect(reader.seqs).toEqual(upTo(5));
  });

  it('breaks off when the connection is closed for good', async () => {
    const nc = await broker.connect();
    const reader = readerOf(new JetStreamLog({ nc }));
    const broken = expect(reader.follower.done).rejects.toBeInstanceOf(LogUnavailable);
    await nc.close();
    await broken;
  });

  it('leaves no consumer behind, and needs one for all readers of a process', async () => {
    const manager = await jetstreamManager(empty.nc);
    const consumers = async () => (await manager.streams.info(STREAM_NAME)).state.consumer_count;
    const feed = new SharedFeed(log);
    const readers = upTo(4).map(() => readerOf(feed));
    await append(log, chain, 10);
    await until(() => readers.every(({ seqs }) => seqs.length === 10));
    await until(async () => (await consumers()) === 1);
    await feed.close();
    await until(async () => (await consumers()) === 0);
  });
});

/** As an owner does: sends again until the log has it. */
async function append(log: EventLog, chain: CommitChain, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await until(async () => {
      try {
        await chain.appendTo(log);
        return true;
      } catch {
        const last = await log.lastSeq(chain.subject).catch(() => -1);
        // Stored, but not acknowledged.
        return last > chain.lastSeq && chain.stored(last);
      }
    });
  }
}

function readerOf(log: Pick<EventLog, 'follow'>) {
  const seqs: Seq[] = [];
  const follower = log.follow({ from: 1 }, (commits) => {
    seqs.push(...commits.map(({ seq }) => seq));
  });
  return { seqs, follower };
}

const upTo = (last: number): Seq[] => Array.from({ length: last }, (_, n) => n + 1);
