import { beforeEach, describe, expect, it } from '@jest/globals';
import { bank, bankCommand, rowsOf, type BankState } from '@athena/testing';
import type { Decider } from './decider.js';
import { Fold } from './fold.js';
import { MemoryLog } from './memory-log.js';
import { MemoryStateStore } from './memory-state-store.js';
import { CLOSE_MS_MAX, Partition } from './partition.js';
import { SimulatedTime } from './simulated-time.js';
import { NAME, Teller, deposit, open } from './teller.scenario.js';

describe('a partition that things go wrong for', () => {
  let time: SimulatedTime;
  let log: MemoryLog;
  let teller: Teller;
  beforeEach(async () => {
    time = new SimulatedTime();
    log = new MemoryLog({ timers: time });
    teller = await Teller.open(time, log);
  });

  describe('writes checkpoints', () => {
    let store: MemoryStateStore;
    let keeper: Teller;
    beforeEach(async () => {
      store = new MemoryStateStore();
      log = new MemoryLog({ timers: time });
      keeper = await Teller.open(time, log, { store });
      await time.settle();
    });
    const storedRows = async (): Promise<string[]> =>
      ((await store.load(NAME))?.rows ?? []).map(({ table, key }) => `${table}/${key}`).sort();

    it('at most once per interval, also when nothing comes after', async () => {
      await keeper.ask(open('a'), 'c1');
      await time.advance(1_000);
      const before = keeper.checkpoints.length;
      for (let n = 0; n < 20; n++) {
        await keeper.ask(deposit('a'), `d${n}`);
        await time.advance(100);
      }
      expect(keeper.checkpoints.length - before).toBeLessThanOrEqual(3);
      await time.advance(2_000);
      expect(keeper.checkpoints.at(-1)).toBe(log.messages.length);
      const count = keeper.checkpoints.length;
      await time.advance(10_000);
      expect(keeper.checkpoints).toHaveLength(count);
    });

    it('earlier where very many rows have changed', async () => {
      await time.advance(1_000);
      const before = keeper.checkpoints.length;
      for (let n = 0; n < 3_000; n++) keeper.send(open(`a${n}`), `c${n}`);
      await time.settle();
      expect(keeper.checkpoints.length).toBeGreaterThan(before);
    });

    it('last of all when it closes, so that the next owner has no tail to read', async () => {
      await keeper.ask(open('a'), 'c1');
      await keeper.partition.close();
      expect((await store.load(NAME))?.checkpoint.seq).toBe(log.messages.length);
      expect(await storedRows()).toEqual(['account/a', 'done/c1', 'tally/tally']);
    });

    it('keeps what could not be written for the next one, and asks less and less often', async () => {
      store.failWith(new Error('Postgres is down'));
      for (let n = 0; n < 60; n++) {
        await keeper.ask(open(`a${n}`), `c${n}`);
        await time.advance(500);
      }
      expect(keeper.failedCheckpoints.length).toBeLessThanOrEqual(6);
      store.failWith(null);
      await time.advance(30_000);
      expect(await storedRows()).toHaveLength(121);
    });

    it('loads from it what the log says, also rows that another owner has stored', async () => {
      await keeper.ask(open('a'), 'c1');
      await time.advance(1_000);
      const standby = await Fold.load(NAME, bank, log, store);
      // The owner stores an account that the standby has seen only in the log, and it is closed.
      await keeper.ask(open('brief'), 'c2');
      await time.advance(1_100);
      expect(await storedRows()).toContain('account/brief');
      await keeper.ask({ op: 'close', input: { account: 'brief' } }, 'c3');
      await standby.catchUp(log);
      const options = {
        name: NAME,
        log,
        store,
        decider: bank,
        owner: 'b',
        clock: time,
        timers: time,
      };
      const next = await Partition.open(options, standby);
      await time.settle();
      await next.close();
      expect(await storedRows()).not.toContain('account/brief');
      const loaded = await Fold.load(NAME, bank, log, store);
      expect(rowsOf(loaded.state)).toEqual(rowsOf((await Fold.load(NAME, bank, log)).state));
    });

    it('never stores a state that the log has not taken', async () => {
      await keeper.ask(open('a'), 'c1');
      await keeper.ask(deposit('a', 1), 'd0');
      await Teller.open(time, log);
      keeper.send(deposit('a', 5), 'd1');
      const closing = keeper.partition.close();
      await time.advance(1_000);
      await closing;
      const rows = (await store.load(NAME))?.rows ?? [];
      expect(rows.map(({ key }) => key)).not.toContain('d1');
      expect(keeper.codes).toEqual(['NOT_OWNER']);
    });

    it('is told where another owner has stored a newer one, and leaves that alone', async () => {
      await keeper.ask(open('a'), 'c1');
      await keeper.ask(deposit('a', 1), 'd0');
      const next = await Teller.open(time, log, { store });
      await next.ask(open('b'), 'c2');
      await keeper.partition.close();
      expect(keeper.failedCheckpoints).toHaveLength(1);
      expect((await store.load(NAME))?.checkpoint.epoch).toBe(2);
      expect(await storedRows()).toContain('account/b');
    });

    it('replaces the rows of a history that the log has lost', async () => {
      await keeper.ask(open('lost'), 'c1');
      await keeper.partition.close();
      log.loseTail(2);
      const next = await Teller.open(time, log, { store });
      await next.ask(open('kept'), 'c2');
      await next.partition.close();
      expect(await storedRows()).toEqual(['account/kept', 'done/c2', 'tally/tally']);
    });

    it('replaces the rows of another version of the state', async () => {
      await keeper.ask(open('a'), 'c1');
      await keeper.ask(open('b'), 'c2');
      await keeper.partition.close();
      const second: Decider<BankState> = { ...bank, version: 2 };
      const next = await Teller.open(time, log, { store, decider: second });
      await next.ask({ op: 'close', input: { account: 'a' } }, 'c3');
      await next.partition.close();
      expect(await storedRows()).not.toContain('account/a');
      expect((await store.load(NAME))?.checkpoint.version).toBe(2);
    });
  });

  describe('answers everybody exactly once', () => {
    it('where one decision fails: only that one, and the rest goes on', async () => {
      teller.send(open('a'), 'c1');
      teller.send({ op: 'fail', input: { in: 'decide' } }, 'f1');
      teller.send(deposit('a'), 'd1');
      await time.settle();
      expect(teller.codes).toEqual(['ok', 'INTERNAL', 'ok']);
      expect(teller.faults).toHaveLength(1);
      await teller.expectSound();
    });

    it('where an answer cannot be made', async () => {
      teller.send(open('a'), 'c1');
      teller.send({ op: 'fail', input: { in: 'answer' } }, 'f1');
      teller.send(deposit('a'), 'd1');
      await time.settle();
      expect(teller.codes).toEqual(['ok', 'INTERNAL', 'ok']);
      await teller.expectSound();
    });

    it('where an event cannot be folded: nobody gets a success, and it stands down', async () => {
      teller.send(open('a'), 'c1');
      teller.send({ op: 'await-balance', input: { account: 'a', atLeast: 1, waitMs: 9 } }, 'w1');
      teller.send({ op: 'fail', input: { in: 'evolve' } }, 'f1');
      teller.send(deposit('a'), 'd1');
      await time.advance(1_000);
      expect(teller.codes).toEqual(Array(4).fill('NOT_OWNER'));
      expect(teller.stoodDown).toHaveLength(1);
      expect(teller.commits).toHaveLength(1);
    });

    it('where somebody’s response fails', async () => {
      teller.partition.submit(bankCommand(open('a'), 'c1'), () => {
        throw new Error('the connection is gone');
      });
      teller.send(deposit('a'), 'd1');
      await time.settle();
      expect(teller.codes).toEqual(['ok']);
      expect(teller.stoodDown).toEqual([]);
    });

    it('when closed with commands waiting: those are done', async () => {
      const slowTeller = await Teller.openSlow(time);
      slowTeller.send(open('a'), 'c1');
      await time.settle();
      slowTeller.send(deposit('a'), 'd1');
      const closing = slowTeller.partition.close();
      slowTeller.send(deposit('a'), 'd2');
      await time.advance(20);
      await closing;
      expect(slowTeller.codes).toEqual(['NOT_OWNER', 'ok', 'ok']);
      expect(slowTeller.types.flat().filter((type) => type === 'Deposited')).toHaveLength(1);
    });

    it('when closed while the log is silent: it gives up after a while', async () => {
      log.pause();
      teller.send(open('a'), 'c1');
      await time.settle();
      const closing = teller.partition.close();
      await time.advance(CLOSE_MS_MAX + 1_000);
      await closing;
      expect(teller.codes).toEqual(['NOT_OWNER']);
    });
  });
});
