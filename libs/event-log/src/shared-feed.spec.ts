import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CommitChain, describeEventLog } from '@athena/testing';
import type { EventLog, FollowOptions, Seq } from './port.js';
import { MemoryLog } from './memory-log.js';
import { sleep } from './ports.js';
import { SharedFeed } from './shared-feed.js';
import { READER_LAG_COMMITS_MAX } from './shared-reader.js';
import { SimulatedTime } from './simulated-time.js';

describeEventLog('SharedFeed over MemoryLog', async () => {
  const log = new MemoryLog();
  const feed = new SharedFeed(log);
  const shared: EventLog = {
    append: (...args) => log.append(...args),
    lastSeq: (subject) => log.lastSeq(subject),
    endSeq: () => log.endSeq(),
    get: (seq) => log.get(seq),
    read: (options) => log.read(options),
    follow: (...args) => feed.follow(...args),
  };
  return { log: shared, end: () => feed.close() };
});

/** Counts the consumers that the log has to serve. */
class CountingLog extends MemoryLog {
  consumers = 0;

  override follow(...args: Parameters<EventLog['follow']>): ReturnType<EventLog['follow']> {
    const follower = super.follow(...args);
    this.consumers++;
    void follower.done.finally(() => this.consumers--).catch(() => undefined);
    return follower;
  }
}

class Reader {
  readonly seqs: Seq[] = [];
  readonly follower;
  #open: () => void = () => undefined;
  #gate: Promise<void> | null = null;

  constructor(feed: SharedFeed, options: FollowOptions) {
    this.follower = feed.follow(options, async (commits) => {
      this.seqs.push(...commits.map(({ seq }) => seq));
      await this.#gate;
    });
  }
  block(): void {
    this.#gate ??= new Promise((resolve) => (this.#open = resolve));
  }
  unblock(): void {
    this.#gate = null;
    this.#open();
  }
}

const upTo = (last: number, first = 1): Seq[] =>
  Array.from({ length: last - first + 1 }, (_, n) => first + n);

describe('SharedFeed', () => {
  const time = new SimulatedTime();
  let log: CountingLog;
  let feed: SharedFeed;
  let chain: CommitChain;
  beforeEach(() => {
    log = new CountingLog();
    feed = new SharedFeed(log, time);
    chain = new CommitChain('task.0');
  });
  afterEach(() => feed.close());

  it('serves many readers with one consumer', async () => {
    const readers = upTo(5).map(() => new Reader(feed, { from: 1 }));
    await time.settle();
    await chain.appendTo(log, 10);
    await time.settle();
    for (const reader of readers) expect(reader.seqs).toEqual(upTo(10));
    expect(log.consumers).toBe(1);
  });

  it('lets a reader of old positions catch up alone, and then join', async () => {
    await chain.appendTo(log, 2_000);
    const [live, old] = [new Reader(feed, { from: 2_001 }), new Reader(feed, { from: 1 })];
    await chain.appendTo(log, 500);
    await time.settle();
    expect(old.seqs).toEqual(upTo(2_500));
    expect(live.seqs).toEqual(upTo(2_500, 2_001));
    expect(log.consumers).toBe(1);
    await chain.appendTo(log, 3);
    await time.settle();
    expect(old.seqs).toEqual(upTo(2_503));
  });

  it('moves a lagging reader to its own consumer, so that the others go on, and takes it back', async () => {
    const [fast, slow] = [new Reader(feed, { from: 1 }), new Reader(feed, { from: 1 })];
    await time.settle();
    slow.block();
    for (let n = 0; n < READER_LAG_COMMITS_MAX + 300; n += 100) {
      await chain.appendTo(log, 100);
      await time.settle();
    }
    const written = chain.rev;
    expect(fast.seqs).toEqual(upTo(written));
    expect(slow.seqs.length).toBeLessThan(300);
    slow.unblock();
    await time.settle();
    expect(slow.seqs).toEqual(upTo(written));
    expect(log.consumers).toBe(1);
    await chain.appendTo(log, 2);
    await time.settle();
    expect(slow.seqs).toEqual(upTo(written + 2));
  });

  it('takes in a reader that is further than the shared consumer, without doubling', async () => {
    // The first consumer, which is the shared one, is slower than those that come after.
    class Uneven extends MemoryLog {
      #consumers = 0;
      override follow(...[options, onCommits]: Parameters<EventLog['follow']>) {
        if (this.#consumers++ > 0) return super.follow(options, onCommits);
        return super.follow(options, async (commits, seen) => {
          await sleep(time, 50);
          await onCommits(commits, seen);
        });
      }
    }
    const log = new Uneven();
    const feed = new SharedFeed(log, time);
    await chain.appendTo(log, 5);
    const first = new Reader(feed, { from: 6 });
    await time.settle();
    await chain.appendTo(log, 3);
    const ahead = new Reader(feed, { from: 2 });
    await time.settle();
    expect(ahead.seqs).toEqual(upTo(8, 2));
    await time.advance(100);
    await chain.appendTo(log, 1);
    await time.advance(100);
    expect(first.seqs).toEqual(upTo(9, 6));
    expect(ahead.seqs).toEqual(upTo(9, 2));
    await feed.close();
  });

  it('waits for a log that cannot be reached yet', async () => {
    log.pause();
    const reader = new Reader(feed, { from: 1 });
    await time.advance(1_000);
    log.resume();
    await chain.appendTo(log);
    await time.advance(1_000);
    expect(reader.seqs).toEqual([1]);
  });

  it('breaks every reader’s feed when the log has lost its tail', async () => {
    const readers = [new Reader(feed, { from: 1 }), new Reader(feed, { from: 1 })];
    await chain.appendTo(log, 3);
    await time.settle();
    const broken = readers.map(({ follower }) =>
      expect(follower.done).rejects.toThrow(/asked for/),
    );
    log.loseTail(1);
    await Promise.all(broken);
  });

  it('stops one reader without touching the others', async () => {
    const [gone, stays] = [new Reader(feed, { from: 1 }), new Reader(feed, { from: 1 })];
    await chain.appendTo(log, 2);
    await time.settle();
    await gone.follower.stop();
    await chain.appendTo(log, 2);
    await time.settle();
    expect(gone.seqs).toEqual([1, 2]);
    expect(stays.seqs).toEqual([1, 2, 3, 4]);
    await expect(gone.follower.done).resolves.toBeUndefined();
  });

  it('gives each reader every commit exactly once and in order, whatever the pace', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 900 }) }),
      fc.record({ kind: fc.constantFrom('block', 'unblock'), reader: fc.nat(3) }),
      fc.record({ kind: fc.constant('join' as const), back: fc.nat(3_000) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const [log, chain] = [new MemoryLog(), new CommitChain('task.0')];
        const feed = new SharedFeed(log, time);
        const readers: { from: Seq; reader: Reader }[] = [];
        for (const action of steps) {
          if (action.kind === 'append') await chain.appendTo(log, action.count);
          else if (action.kind === 'join') {
            const from = Math.max(1, chain.rev + 1 - action.back);
            readers.push({ from, reader: new Reader(feed, { from }) });
          } else {
            const chosen = readers[action.reader]?.reader;
            if (action.kind === 'block') chosen?.block();
            else chosen?.unblock();
          }
          await time.settle();
        }
        for (const { reader } of readers) reader.unblock();
        await time.settle();
        for (const { from, reader } of readers) expect(reader.seqs).toEqual(upTo(chain.rev, from));
        await feed.close();
      }),
      { numRuns: 25 },
    );
  });
});
