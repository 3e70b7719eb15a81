import { beforeEach, describe, expect, it } from '@jest/globals';
import { bank, rowsOf } from '@athena/testing';
import { subjectOf } from './commit.js';
import { Fold } from './fold.js';
import { MemoryLog } from './memory-log.js';
import { CLOCK_LAG_MS_MAX, OPEN_MS_MAX, Partition, STALL_MS } from './partition.js';
import { AppendRefused, WrongLastSequence } from './port.js';
import { SimulatedTime } from './simulated-time.js';
import { NAME, Teller, balance, codeOf, deposit, open } from './teller.scenario.js';

describe('the owner of a partition', () => {
  let time: SimulatedTime;
  let log: MemoryLog;
  let teller: Teller;
  beforeEach(async () => {
    time = new SimulatedTime();
    log = new MemoryLog({ timers: time });
    teller = await Teller.open(time, log);
  });

  describe('is fenced', () => {
    it('opens behind everything that it has folded, in a new epoch', async () => {
      await teller.ask(open('a'), 'c1');
      const next = await Teller.open(time, log);
      expect(next.partition.epoch).toBe(2);
      expect(teller.commits.at(-1)).toMatchObject({
        header: { epoch: 2, rev: 3 },
        events: [{ type: 'PartitionOpened', data: { owner: 'teller' } }],
      });
      await next.expectSound();
    });

    it('refuses the old owner’s append, and it stands down', async () => {
      await teller.ask(open('a'), 'c1');
      const next = await Teller.open(time, log);
      teller.send(deposit('a', 5), 'd1');
      teller.send(balance('a'), 'b1');
      await time.settle();
      expect(teller.codes).toEqual(['NOT_OWNER', 'NOT_OWNER']);
      expect(teller.stoodDown[0]).toBeInstanceOf(WrongLastSequence);
      expect(codeOf(await teller.ask(balance('a'), 'b2'))).toBe('NOT_OWNER');
      expect(await next.ask(balance('a'), 'b3')).toMatchObject({ ok: { balance: 0 } });
    });

    it('opens after one that opened while it was opening', async () => {
      const fold = await Fold.load(NAME, bank, log);
      await Teller.open(time, log);
      const late = await Partition.open(
        { name: NAME, log, decider: bank, owner: 'late', clock: time, timers: time },
        fold,
      );
      expect(late.epoch).toBe(3);
      expect(rowsOf(late.state)).toEqual(['tally/tally {"clocksRestarted":0,"opened":3}']);
      await late.close();
    });

    it('is not opened by a process whose clock is behind the log', async () => {
      await time.advance(10_000);
      await teller.ask(open('a'), 'c1');
      time.set(time.now() - CLOCK_LAG_MS_MAX - 1);
      await expect(Teller.open(time, log)).rejects.toThrow('2001 ms behind the log');
      time.set(time.now() + 1);
      const next = await Teller.open(time, log);
      expect(teller.commits.at(-1)?.at).toBe(teller.commits.at(-2)?.at);
      await next.expectSound();
    });

    it('gives up opening on a log that gives no outcome', async () => {
      const silent = new MemoryLog({ timers: time, faults: () => ({ kind: 'lose' }) });
      const opening = expect(Teller.open(time, silent)).rejects.toThrow('no acknowledgement');
      await time.advance(OPEN_MS_MAX + 1_000);
      await opening;
    });
  });

  describe('settles unknown outcomes', () => {
    beforeEach(() => teller.ask(open('a'), 'c1'));

    it.each([
      ['was lost on the way', { kind: 'lose' as const }],
      ['was stored, but its acknowledgement was lost', { kind: 'lose-ack' as const }],
      ['lands just before it is sent again', { kind: 'late' as const, ms: 249 }],
      ['lands after it was sent again', { kind: 'late' as const, ms: 251 }],
    ])('answers a success once where the append %s', async (_what, fault) => {
      log.failNext(fault);
      teller.send(deposit('a', 5), 'd1');
      await time.advance(2_000);
      expect(teller.codes).toEqual(['ok']);
      expect(await teller.ask(balance('a'), 'b1')).toMatchObject({ ok: { balance: 5 } });
      expect(teller.types.flat()).toEqual(['PartitionOpened', 'AccountOpened', 'Deposited']);
      expect(teller.stoodDown).toEqual([]);
      await teller.expectSound();
    });

    it('answers a success where its own message landed and another owner opened behind it', async () => {
      log.failNext({ kind: 'lose-ack' });
      teller.send(deposit('a', 5), 'd1');
      await time.settle();
      const next = await Teller.open(time, log);
      await time.advance(300);
      expect(teller.codes).toEqual(['ok']);
      expect(await next.ask(balance('a'), 'b1')).toMatchObject({ ok: { balance: 5 } });
      expect(codeOf(await teller.ask(balance('a'), 'b2'))).toBe('NOT_OWNER');
    });

    it('says that it is not the owner where another one won, never success or a refusal', async () => {
      log.failNext({ kind: 'late', ms: 200 });
      teller.send(deposit('a', 5), 'd1');
      teller.send({ op: 'withdraw', input: { account: 'a', amount: 99 } }, 'w1');
      await time.settle();
      const next = await Teller.open(time, log);
      await time.advance(1_000);
      expect(teller.codes).toEqual(['NOT_OWNER', 'NOT_OWNER']);
      expect(teller.types.flat()).not.toContain('Deposited');
      expect(codeOf(await next.ask(deposit('a', 5), 'd1'))).toBe('ok');
    });

    it('stands down where the log takes nothing, and says that nothing was changed', async () => {
      log.failNext({ kind: 'refuse', reason: 'maximum bytes exceeded' });
      teller.send(deposit('a', 5), 'd1');
      await time.settle();
      expect(teller.codes).toEqual(['UNAVAILABLE']);
      expect(teller.stoodDown[0]).toBeInstanceOf(AppendRefused);
    });

    it('goes on after a pause of the broker, in which its appends were held up', async () => {
      log.pause();
      teller.send(deposit('a', 5), 'd1');
      await time.advance(1_000);
      expect(teller.answers).toEqual([]);
      log.resume();
      await time.advance(1_000);
      expect(teller.codes).toEqual(['ok']);
      expect(teller.types.flat().filter((type) => type === 'Deposited')).toHaveLength(1);
      await teller.expectSound();
    });
  });

  describe('restarts clocks that judge others', () => {
    const restarted = (): number =>
      teller.types.flat().filter((t) => t === 'ClocksRestarted').length;

    it('when the process stood still, before anything that fell due meanwhile', async () => {
      await teller.ask(open('a'), 'c1');
      await teller.ask({ op: 'plan', input: { account: 'a', amount: 7, inMs: 2_000 } }, 'p1');
      await time.stall(STALL_MS + 2_000);
      expect(teller.types.slice(3).flat()).toEqual(['ClocksRestarted', 'PlanPaid']);
      expect(teller.types[3]).toEqual(['ClocksRestarted']);
    });

    it('also where a command is decided before any timer fires', async () => {
      await teller.ask(open('a'), 'c1');
      time.set(time.now() + STALL_MS + 2_000);
      teller.send(deposit('a'), 'd1');
      await time.settle();
      expect(teller.types.at(-1)).toEqual(['ClocksRestarted', 'Deposited']);
    });

    it('when the log kept it waiting', async () => {
      await teller.ask(open('a'), 'c1');
      log.pause();
      teller.send(deposit('a'), 'd1');
      await time.advance(STALL_MS + 500);
      log.resume();
      await time.advance(1_000);
      expect(restarted()).toBe(1);
    });

    it('when it is told that it was cut off', async () => {
      teller.partition.restartClocks(8_000);
      await time.settle();
      expect(teller.commits.at(-1)?.events).toMatchObject([
        { type: 'ClocksRestarted', actor: 'system:teller', data: { stalledMs: 8_000 } },
      ]);
    });

    it('not in the ordinary course of time', async () => {
      await time.advance(60_000);
      expect(restarted()).toBe(0);
    });
  });
});

it('keeps a chain that any reader can check', async () => {
  const time = new SimulatedTime();
  const log = new MemoryLog({ timers: time });
  const teller = await Teller.open(time, log);
  for (let n = 0; n < 5; n++) await teller.ask(open(`a${n}`), `c${n}`);
  const tampered = new MemoryLog();
  for (const [index, { payload }] of log.messages.entries()) {
    const text = Buffer.from(payload).toString();
    const bytes = Buffer.from(index === 3 ? text.replace('"a2"', '"b2"') : text);
    await tampered.append(subjectOf(NAME), bytes, index);
  }
  await expect(Fold.load(NAME, bank, tampered)).rejects.toThrow('does not follow');
});
