import { beforeEach, describe, expect, it } from '@jest/globals';
import { bank, type BankOperation, type BankState } from '@athena/testing';
import { COMMANDS_PER_COMMIT_MAX } from './batch.js';
import { COMMIT_BYTES_MAX } from './commit.js';
import type { Decider } from './decider.js';
import { MemoryLog } from './memory-log.js';
import { QUEUE_LENGTH_MAX, type PartitionOptions } from './partition.js';
import { SimulatedTime } from './simulated-time.js';
import { Teller, balance, codeOf, deposit, open } from './teller.scenario.js';

describe('Partition', () => {
  let time: SimulatedTime;
  let log: MemoryLog;
  let teller: Teller;
  beforeEach(async () => {
    time = new SimulatedTime();
    log = new MemoryLog({ timers: time });
    teller = await Teller.open(time, log);
  });

  describe('commits in groups', () => {
    it('makes one commit of all commands that wait', async () => {
      teller.send(open('a'), 'c0');
      for (let n = 1; n <= 200; n++) teller.send(deposit('a'), `c${n}`);
      await time.settle();
      expect(teller.commits).toHaveLength(2);
      expect(teller.commits[1]?.events).toHaveLength(201);
      expect(teller.answers).toHaveLength(201);
      expect(teller.answers.at(-1)).toEqual({
        ok: { balance: 200, place: [2, 200], seq: 2 },
        seq: 2,
      });
      await teller.expectSound();
    });

    it('answers only when the log has acknowledged', async () => {
      const slowTeller = await Teller.openSlow(time);
      slowTeller.send(open('a'), 'c1');
      await time.advance(4);
      expect(slowTeller.log.messages).toHaveLength(2);
      expect(slowTeller.answers).toEqual([]);
      await time.advance(1);
      expect(slowTeller.codes).toEqual(['ok']);
    });

    it('gathers the next batch while an append is under way', async () => {
      const slowTeller = await Teller.openSlow(time);
      slowTeller.send(open('a'), 'c0');
      for (let n = 1; n <= 10; n++) {
        await time.advance(0.4);
        slowTeller.send(deposit('a'), `c${n}`);
      }
      await time.advance(10);
      expect(slowTeller.types.map(({ length }) => length)).toEqual([1, 1, 10]);
    });

    it('decides no more than its limit in one commit', async () => {
      teller.send(open('a'), 'c0');
      for (let n = 0; n < COMMANDS_PER_COMMIT_MAX; n++) teller.send(deposit('a'), `d${n}`);
      await time.settle();
      expect(teller.types.map(({ length }) => length)).toEqual([1, COMMANDS_PER_COMMIT_MAX, 1]);
      await teller.expectSound();
    });

    it('splits a batch that is too large for one message', async () => {
      teller.send(open('a'), 'c0');
      const note: BankOperation = { op: 'note', input: { account: 'a', bytes: 300_000 } };
      for (let n = 1; n <= 5; n++) teller.send(note, `n${n}`);
      await time.settle();
      expect(teller.types.map(({ length }) => length)).toEqual([1, 3, 2, 1]);
      for (const { bytes } of teller.commits) expect(bytes).toBeLessThanOrEqual(COMMIT_BYTES_MAX);
      expect(teller.codes).toEqual(Array(6).fill('ok'));
      await teller.expectSound();
    });

    it('refuses a single decision that no message can hold', async () => {
      const note: BankOperation = { op: 'note', input: { account: 'a', bytes: COMMIT_BYTES_MAX } };
      teller.send(open('a'), 'c0');
      teller.send(note, 'n1');
      teller.send(deposit('a'), 'd1');
      await time.settle();
      expect(teller.codes).toEqual(['ok', 'PAYLOAD_TOO_LARGE', 'ok']);
      await teller.expectSound();
    });

    it('refuses commands above the length of its queue', async () => {
      for (let n = 0; n <= QUEUE_LENGTH_MAX; n++) teller.send(balance('a'), `b${n}`);
      expect(teller.codes).toEqual(['OVERLOADED']);
    });

    it('does a repeated command once', async () => {
      await teller.ask(open('a'), 'c1');
      await teller.ask(deposit('a', 5), 'c2');
      expect(await teller.ask(deposit('a', 5), 'c2')).toEqual({ ok: { repeated: true }, seq: 3 });
      expect(await teller.ask(balance('a'), 'c3')).toEqual({ ok: { balance: 5 }, seq: 3 });
    });
  });

  describe('confirms answers without events', () => {
    it('withholds a refusal while the log cannot be asked', async () => {
      const records: PartitionOptions<BankState>['fetch'] = async () => new Map();
      const cautious = await Teller.open(time, log, { fetch: records });
      log.pause();
      cautious.send(balance('nobody'), 'c1');
      await time.advance(600);
      expect(cautious.answers).toEqual([]);
      log.resume();
      await time.advance(300);
      expect(cautious.codes).toEqual(['NO_ACCOUNT']);
    });

    it('answers nothing from memory once another owner has opened', async () => {
      await teller.ask(open('a'), 'c1');
      await Teller.open(time, log);
      expect(codeOf(await teller.ask(balance('a'), 'c2'))).toBe('NOT_OWNER');
      expect(teller.stoodDown).toHaveLength(1);
    });
  });

  describe('works by itself', () => {
    it('does what is due at its time', async () => {
      await teller.ask(open('a'), 'c1');
      await teller.ask({ op: 'plan', input: { account: 'a', amount: 7, inMs: 5_000 } }, 'p1');
      await time.advance(4_999);
      expect(await teller.ask(balance('a'), 'b1')).toMatchObject({ ok: { balance: 0 } });
      await time.advance(1);
      expect(await teller.ask(balance('a'), 'b2')).toMatchObject({ ok: { balance: 7 } });
      await teller.expectSound();
    });

    it('does what became due while nobody owned', async () => {
      await teller.ask(open('a'), 'c1');
      await teller.ask({ op: 'plan', input: { account: 'a', amount: 7, inMs: 1_000 } }, 'p1');
      await teller.partition.close();
      await time.advance(2_000);
      const next = await Teller.open(time, log);
      await time.settle();
      expect(await next.ask(balance('a'), 'b1')).toMatchObject({ ok: { balance: 7 } });
    });

    it('waits for what is months away without spinning', async () => {
      await teller.ask(open('a'), 'c1');
      const inMs = 60 * 24 * 3_600_000;
      await teller.ask({ op: 'plan', input: { account: 'a', amount: 7, inMs } }, 'p1');
      await time.advance(120_000);
      expect(teller.commits).toHaveLength(3);
    });

    it('goes on when what is due yields nothing, and says that this is a fault', async () => {
      const idle: Decider<BankState> = { ...bank, nextDueAt: () => 0, due: () => [] };
      const log = new MemoryLog({ timers: time });
      const stuck = await Teller.open(time, log, { decider: idle });
      await time.advance(10);
      expect(stuck.faults).toHaveLength(1);
      expect(codeOf(await stuck.ask(open('a'), 'c1'))).toBe('ok');
    });
  });

  describe('parks', () => {
    const awaiting = (atLeast: number, waitMs: number): BankOperation => ({
      op: 'await-balance',
      input: { account: 'a', atLeast, waitMs },
    });
    beforeEach(() => teller.ask(open('a'), 'c1'));

    it('answers a parked command when it is woken', async () => {
      teller.send(awaiting(5, 60_000), 'w1');
      await time.advance(1_000);
      expect(teller.answers).toEqual([]);
      await teller.ask(deposit('a', 5), 'd1');
      await time.settle();
      expect(teller.answers).toEqual([{ ok: { balance: 5 }, seq: 3 }]);
    });

    it('parks it again when what woke it was not enough', async () => {
      teller.send(awaiting(5, 60_000), 'w1');
      await teller.ask(deposit('a', 4), 'd1');
      await time.settle();
      expect(teller.answers).toEqual([]);
      await teller.ask(deposit('a', 1), 'd2');
      await time.settle();
      expect(teller.codes).toEqual(['ok']);
    });

    it('wakes what was parked in the very batch that woke it', async () => {
      teller.send(awaiting(5, 60_000), 'w1');
      teller.send(deposit('a', 5), 'd1');
      await time.settle();
      expect(teller.codes).toEqual(['ok', 'ok']);
    });

    it('answers it at the latest when its time is up', async () => {
      teller.send(awaiting(5, 2_000), 'w1');
      await time.advance(1_999);
      expect(teller.answers).toEqual([]);
      await time.advance(1);
      expect(teller.answers).toEqual([{ ok: { timedOut: true }, seq: 2 }]);
    });

    it('does not leave it without an answer when it stands down or closes', async () => {
      teller.send(awaiting(5, 60_000), 'w1');
      await time.settle();
      await teller.partition.close();
      expect(teller.codes).toEqual(['NOT_OWNER']);
    });
  });

  describe('fetches what a decision needs', () => {
    it('asks once for a whole batch and decides again', async () => {
      const asked: (readonly string[])[] = [];
      const archive = new Map([['old', { closed: true }]]);
      const fetch = async (ids: readonly string[]) => {
        asked.push(ids);
        return archive;
      };
      const reading = await Teller.open(time, log, { fetch });
      for (const account of ['old', 'never', 'old']) reading.send(balance(account), account);
      await time.settle();
      expect(asked).toEqual([['old', 'never']]);
      const details = reading.answers.map((a) => 'refusal' in a && a.refusal.detail);
      expect(details).toEqual(['old was closed', 'there never was never', 'old was closed']);
    });

    it('says that it is unavailable where nothing can be fetched, and goes on', async () => {
      const fetch = () => Promise.reject(new Error('Postgres is down'));
      const reading = await Teller.open(time, log, { fetch });
      expect(codeOf(await reading.ask(balance('old'), 'b1'))).toBe('UNAVAILABLE');
      expect(codeOf(await reading.ask(open('a'), 'c1'))).toBe('ok');
    });

    it('ends a decision that keeps asking for the same', async () => {
      const decide = () => ({ needs: ['x'] });
      const fetch = async () => new Map();
      const endless = await Teller.open(time, log, { fetch, decider: { ...bank, decide } });
      expect(codeOf(await endless.ask(balance('x'), 'b1'))).toBe('INTERNAL');
    });
  });
});
