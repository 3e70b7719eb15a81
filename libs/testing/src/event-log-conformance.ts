import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AppendRefused,
  BrokenSequence,
  COMMIT_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  WrongLastSequence,
  subjectOf,
  type Commit,
  type EventLog,
  type Seq,
} from '@athena/event-log';
import { CommitChain } from './commit-chain.js';

export interface LogUnderTest {
  /** Empty. */
  readonly log: EventLog;
  end(): Promise<void>;
}

/** What every event log must do; each adapter proves itself with it. */
export function describeEventLog(name: string, makeLog: () => Promise<LogUnderTest>): void {
  describe(`${name} as an event log`, () => {
    let subject: LogUnderTest;
    let log: EventLog;
    beforeEach(async () => {
      subject = await makeLog();
      log = subject.log;
    });
    afterEach(() => subject.end());

    describeAppending(() => log);
    describeAsking(() => log);
    describeReading(() => log);
    describeFollowing(() => log);
  });
}

function describeAppending(the: () => EventLog): void {
  it('numbers messages from 1, over all partitions', async () => {
    const [a, b] = [new CommitChain('task.0'), new CommitChain('agent.0')];
    expect(await a.appendTo(the())).toBe(1);
    expect(await b.appendTo(the())).toBe(2);
    expect(await a.appendTo(the())).toBe(3);
  });

  it('refuses a message that expects another last one, and keeps nothing of it', async () => {
    const chain = new CommitChain('task.0');
    await chain.appendTo(the());
    const append = the().append(subjectOf('task.0'), chain.payload(), 0);
    await expect(append).rejects.toBeInstanceOf(WrongLastSequence);
    expect(await the().endSeq()).toBe(1);
  });

  it('refuses an expectation beyond the end', async () => {
    const append = the().append(subjectOf('task.0'), new CommitChain('task.0').payload(), 5);
    await expect(append).rejects.toBeInstanceOf(WrongLastSequence);
  });

  it('lets exactly one of many writers with the same expectation win', async () => {
    const writers = Array.from({ length: 20 }, (_, n) => new CommitChain('task.0', `writer ${n}`));
    const outcomes = await Promise.allSettled(writers.map((writer) => writer.appendTo(the())));
    const lost = outcomes.filter(({ status }) => status === 'rejected');
    expect(lost).toHaveLength(19);
    for (const { reason } of lost as PromiseRejectedResult[]) {
      expect(reason).toBeInstanceOf(WrongLastSequence);
    }
    expect(await the().endSeq()).toBe(1);
  });

  it('takes the largest commit there is and gives it back unchanged', async () => {
    const chain = new CommitChain('task.0');
    const payload = chain.payload('x'.repeat(COMMIT_BYTES_MAX - 600));
    const seq = await the().append(subjectOf('task.0'), payload, 0);
    const stored = await the().get(seq);
    expect(Buffer.compare(stored?.payload ?? new Uint8Array(), payload)).toBe(0);
  });

  it('refuses a message above the limit for good', async () => {
    const payload = new Uint8Array(MESSAGE_BYTES_MAX + 1);
    const append = the().append(subjectOf('task.0'), payload, 0);
    await expect(append).rejects.toBeInstanceOf(AppendRefused);
    expect(await the().endSeq()).toBe(0);
  });
}

function describeAsking(the: () => EventLog): void {
  it('knows the last position of each subject, and 0 where there is none', async () => {
    const [a, b] = [new CommitChain('task.0'), new CommitChain('task.1')];
    for (const chain of [a, a, b]) await chain.appendTo(the());
    expect(await the().lastSeq(subjectOf('task.0'))).toBe(2);
    expect(await the().lastSeq(subjectOf('task.1'))).toBe(3);
    expect(await the().lastSeq(subjectOf('task.2'))).toBe(0);
  });

  it('knows its end, which is 0 when empty', async () => {
    expect(await the().endSeq()).toBe(0);
    await new CommitChain('task.0').appendTo(the());
    expect(await the().endSeq()).toBe(1);
  });

  it('gives single messages, and null where there is none', async () => {
    const chain = new CommitChain('task.0');
    const payload = chain.payload();
    await chain.appendTo(the());
    const stored = await the().get(1);
    expect(stored?.subject).toBe(subjectOf('task.0'));
    expect(Buffer.from(stored?.payload ?? []).toString()).toBe(Buffer.from(payload).toString());
    expect(await the().get(2)).toBeNull();
    expect(await the().get(0)).toBeNull();
  });
}

function describeReading(the: () => EventLog): void {
  it('reads from a position up to the end, both included', async () => {
    const chain = new CommitChain('task.0');
    await chain.appendTo(the(), 5);
    expect(seqsOf(await readAll(the(), 1))).toEqual([1, 2, 3, 4, 5]);
    expect(seqsOf(await readAll(the(), 4))).toEqual([4, 5]);
    expect(await readAll(the(), 6)).toEqual([]);
  });

  it('reads nothing from an empty log', async () => {
    expect(await readAll(the(), 1)).toEqual([]);
  });

  it('stops at the end as it was when asked, though the log grows', async () => {
    const chain = new CommitChain('task.0');
    await chain.appendTo(the(), 3);
    const read: Commit[] = [];
    for await (const commits of the().read({ from: 1 })) {
      read.push(...commits);
      await chain.appendTo(the());
    }
    expect(seqsOf(read)).toEqual([1, 2, 3]);
  });

  it('hands over only the wanted subjects of many, in order', async () => {
    const chains = Array.from({ length: 30 }, (_, n) => new CommitChain(`task.${n}`));
    for (const chain of [...chains, ...chains]) await chain.appendTo(the());
    const wanted = subjectOf('task.7');
    const commits = await readAll(the(), 1, (subject) => subject === wanted);
    expect(commits.map(({ subject, seq }) => [subject, seq])).toEqual([
      [wanted, 8],
      [wanted, 38],
    ]);
  });

  it('parses what it reads: header, time, hash, events and their text', async () => {
    const chain = new CommitChain('task.0');
    await chain.appendTo(the(), 2);
    const [first, second] = await readAll(the(), 1);
    expect(second?.header.prev).toBe(first?.hash);
    expect(second?.header.rev).toBe(2);
    expect(second?.at).toBe(Date.parse(second?.header.at ?? ''));
    expect(second?.events[0]).toEqual(JSON.parse(second?.lines[0] ?? ''));
  });

  it('does not read from beyond its end', async () => {
    await new CommitChain('task.0').appendTo(the());
    await expect(readAll(the(), 3)).rejects.toBeInstanceOf(BrokenSequence);
  });

  it('reads hundreds of large messages without losing any', async () => {
    const chain = new CommitChain('task.0');
    for (let n = 0; n < 60; n++) await chain.appendTo(the(), 1, 'x'.repeat(400_000));
    const seqs: Seq[] = [];
    for await (const commits of the().read({ from: 1 })) seqs.push(...seqsOf(commits));
    expect(seqs).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
  });
}

function describeFollowing(the: () => EventLog): void {
  it('follows from the start: what is there, then what comes', async () => {
    const chain = new CommitChain('task.0');
    await chain.appendTo(the(), 2);
    const reader = following(the(), 1);
    await reader.until(2);
    await chain.appendTo(the(), 3);
    await reader.until(5);
    expect(reader.seqs).toEqual([1, 2, 3, 4, 5]);
    await reader.stop();
  });

  it('follows from the middle and from the position that comes next', async () => {
    const chain = new CommitChain('task.0');
    await chain.appendTo(the(), 4);
    const [middle, live] = [following(the(), 3), following(the(), 5)];
    await chain.appendTo(the());
    await Promise.all([middle.until(5), live.until(5)]);
    expect(middle.seqs).toEqual([3, 4, 5]);
    expect(live.seqs).toEqual([5]);
    await Promise.all([middle.stop(), live.stop()]);
  });

  it('says how far it has read also where the filter passes nothing', async () => {
    const chain = new CommitChain('task.0');
    const reader = following(the(), 1, () => false);
    await chain.appendTo(the(), 3);
    await reader.until(3);
    expect(reader.seqs).toEqual([]);
    await reader.stop();
  });

  it('calls back one at a time, and hands over together what has gathered meanwhile', async () => {
    const chain = new CommitChain('task.0');
    await chain.appendTo(the());
    const gate = new Gate();
    const reader = following(the(), 1, undefined, () => gate.passed);
    await reader.until(1);
    await chain.appendTo(the(), 50);
    expect(reader.seqs).toEqual([1]);
    gate.open();
    await reader.until(51);
    expect(reader.seqs).toEqual(Array.from({ length: 51 }, (_, n) => n + 1));
    expect(reader.calls).toBeLessThan(20);
    await reader.stop();
  });

  it('holds back what a slow reader cannot take, and loses none of it', async () => {
    const chain = new CommitChain('task.0');
    const gate = new Gate();
    const reader = following(the(), 1, undefined, () => gate.passed);
    for (let n = 0; n < 30; n++) await chain.appendTo(the(), 1, 'x'.repeat(700_000));
    gate.open();
    await reader.until(30);
    expect(reader.seqs).toEqual(Array.from({ length: 30 }, (_, n) => n + 1));
    await reader.stop();
  });

  it('hands over nothing more once stopped, and waits for the callback under way', async () => {
    const chain = new CommitChain('task.0');
    const gate = new Gate();
    const reader = following(the(), 1, undefined, () => gate.passed);
    await chain.appendTo(the());
    await reader.until(1);
    let stopped = false;
    const stop = reader.stop().then(() => (stopped = true));
    await chain.appendTo(the(), 3);
    expect(stopped).toBe(false);
    gate.open();
    await stop;
    expect(reader.seqs).toEqual([1]);
    await expect(reader.done).resolves.toBeUndefined();
  });

  it('breaks off with the callback’s own error', async () => {
    const chain = new CommitChain('task.0');
    const follower = the().follow({ from: 1 }, () => Promise.reject(new Error('no room')));
    await chain.appendTo(the());
    await expect(follower.done).rejects.toThrow('no room');
  });

  it('breaks off at a message that is not a commit', async () => {
    const follower = the().follow({ from: 1 }, () => undefined);
    const broken = expect(follower.done).rejects.toThrow();
    await the().append(subjectOf('task.0'), Buffer.from('{"athena":99}'), 0);
    await broken;
  });

  it('does not follow from beyond its end', async () => {
    const follower = the().follow({ from: 2 }, () => undefined);
    await expect(follower.done).rejects.toBeInstanceOf(BrokenSequence);
  });
}

type Filter = (subject: string) => boolean;

const seqsOf = (commits: readonly Commit[]): Seq[] => commits.map(({ seq }) => seq);

async function readAll(log: EventLog, from: Seq, subjects?: Filter): Promise<Commit[]> {
  const all: Commit[] = [];
  const options = subjects ? { from, subjects } : { from };
  for await (const commits of log.read(options)) all.push(...commits);
  return all;
}

class Gate {
  open: () => void = () => undefined;
  readonly passed = new Promise<void>((resolve) => (this.open = resolve));
}

/** Follows and remembers; `until` waits for a position. */
function following(log: EventLog, from: Seq, subjects?: Filter, wait?: () => Promise<void>) {
  const seqs: Seq[] = [];
  const waiting = new Map<Seq, () => void>();
  let calls = 0;
  let seen = 0;
  const options = subjects ? { from, subjects } : { from };
  const follower = log.follow(options, async (commits, position) => {
    calls++;
    seqs.push(...seqsOf(commits));
    seen = position;
    for (const [wanted, resolve] of waiting) if (wanted <= seen) resolve();
    await wait?.();
  });
  return {
    seqs,
    get calls() {
      return calls;
    },
    done: follower.done,
    stop: () => follower.stop(),
    until: (seq: Seq) =>
      Promise.race([
        new Promise<void>((resolve) => (seen >= seq ? resolve() : waiting.set(seq, resolve))),
        follower.done,
      ]),
  };
}
