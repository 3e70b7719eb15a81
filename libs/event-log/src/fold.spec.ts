import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { bank, bankCommand, rowsOf, type BankOperation } from '@athena/testing';
import { Fold } from './fold.js';
import { MemoryLog, type AppendFault } from './memory-log.js';
import { MemoryStateStore } from './memory-state-store.js';
import { Partition } from './partition.js';
import type { FollowOptions, StateChange, StateStore } from './port.js';
import { SimulatedTime } from './simulated-time.js';

const NAME = 'account.0';

/** Remembers every checkpoint there ever was, to load from each of them. */
class RememberingStore extends MemoryStateStore {
  readonly snapshots: MemoryStateStore[] = [];

  override async save(name: string, change: StateChange): Promise<boolean> {
    const saved = await super.save(name, change);
    const all = await this.load(name);
    if (saved && all) {
      const snapshot = new MemoryStateStore();
      await snapshot.save(name, { ...all, whole: true, upserts: all.rows, deletes: [] });
      this.snapshots.push(snapshot);
    }
    return saved;
  }
}

const account = fc.constantFrom('a', 'b', 'c');
const amount = fc.integer({ min: 1, max: 9 });
const operation: fc.Arbitrary<BankOperation> = fc.oneof(
  fc.record({ op: fc.constant('open' as const), input: fc.record({ account }) }),
  fc.record({ op: fc.constant('deposit' as const), input: fc.record({ account, amount }) }),
  fc.record({ op: fc.constant('withdraw' as const), input: fc.record({ account, amount }) }),
  fc.record({ op: fc.constant('close' as const), input: fc.record({ account }) }),
  fc.record({
    op: fc.constant('plan' as const),
    input: fc.record({ account, amount, inMs: fc.integer({ min: 0, max: 3_000 }) }),
  }),
);
const fault: fc.Arbitrary<AppendFault> = fc.oneof(
  fc.record({ kind: fc.constantFrom('lose' as const, 'lose-ack' as const) }),
  fc.record({ kind: fc.constant('late' as const), ms: fc.integer({ min: 0, max: 900 }) }),
);
/** What happens next: commands (some repeated), time, a new owner, trouble. */
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('ask' as const), operation, id: fc.nat(30) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(1_500) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('take over' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('store' as const), up: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fault' as const), fault }) },
);

describe('the law: a stored state and the tail behind it are the fold of the whole log', () => {
  it('holds for every checkpoint of every history', async () => {
    let checkpoints = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const { log, store } = await live(steps);
        const whole = await Fold.load(NAME, bank, log);
        for (const snapshot of store.snapshots) {
          const loaded = await Fold.load(NAME, bank, log, snapshot);
          expect(rowsOf(loaded.state)).toEqual(rowsOf(whole.state));
          expect(loaded.position).toEqual(whole.position);
          checkpoints++;
        }
      }),
      { numRuns: 60 },
    );
    expect(checkpoints).toBeGreaterThan(50);
  });

  it('holds for a fold stored by hand at every position', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const { log } = await live(steps);
        const whole = await Fold.load(NAME, bank, log);
        for (let k = 1; k <= log.messages.length; k++) {
          const prefix = new MemoryLog();
          for (const { seq, subject, payload } of log.messages.slice(0, k)) {
            await prefix.append(subject, payload, seq - 1);
          }
          const store = new MemoryStateStore();
          await store.save(NAME, (await Fold.load(NAME, bank, prefix)).takeChanges());
          const loaded = await Fold.load(NAME, bank, log, store);
          expect(rowsOf(loaded.state)).toEqual(rowsOf(whole.state));
        }
      }),
      { numRuns: 20 },
    );
  });

  it('is not fooled by a store whose checkpoint the log does not hold', async () => {
    const time = new SimulatedTime();
    const [log, other, store] = [new MemoryLog(), new MemoryLog(), new MemoryStateStore()];
    await run(time, log, undefined, ['a', 'b']);
    await run(time, other, store, ['x', 'y']);
    const loaded = await Fold.load(NAME, bank, log, store);
    expect(rowsOf(loaded.state)).toEqual(rowsOf((await Fold.load(NAME, bank, log)).state));
  });

  it('needs no store: one that can’t be read is passed over', async () => {
    const [log, store] = [new MemoryLog(), new MemoryStateStore()];
    await run(new SimulatedTime(), log, store, ['a']);
    store.failWith(new Error('Postgres is down'));
    const loaded = await Fold.load(NAME, bank, log, store);
    expect(loaded.state.accounts.has('a')).toBe(true);
  });

  it('keeps what a long-lived standby remembers in proportion to its rows', async () => {
    const [log, time, store] = [new MemoryLog(), new SimulatedTime(), new MemoryStateStore()];
    await run(time, log, store, ['a']);
    const forgetful = {
      ...bank,
      evolve: (...args: Parameters<typeof bank.evolve>) => {
        bank.evolve(...args);
        for (const key of [...args[0].done.entries()].map(([id]) => id)) args[0].done.delete(key);
      },
    };
    const standby = await Fold.load(NAME, forgetful, log, store);
    const owner = await Partition.open({
      name: NAME,
      log,
      decider: bank,
      owner: 'o',
      clock: time,
      timers: time,
    });
    for (let n = 0; n < 25_000; n++) {
      owner.submit(
        bankCommand({ op: 'note', input: { account: 'a', bytes: 1 } }, `n${n}`),
        () => undefined,
      );
    }
    await time.settle();
    await owner.close();
    await standby.catchUp(log);
    expect(standby.changedRows).toBeLessThan(11_000);
    expect(standby.takeChanges().whole).toBe(true);
  }, 20_000);
});

describe('what is read to catch up', () => {
  /** Counts the messages that readers look at. */
  class CountingLog extends MemoryLog {
    looked = 0;

    override read({ from, subjects }: FollowOptions): ReturnType<MemoryLog['read']> {
      const counted = (subject: string): boolean => {
        this.looked++;
        return subjects?.(subject) ?? true;
      };
      return super.read({ from, subjects: counted });
    }
  }

  it('ends with the partition’s last commit, however much others have appended since', async () => {
    const [log, time] = [new CountingLog(), new SimulatedTime()];
    await run(time, log, undefined, ['a', 'b']);
    for (let n = 0; n < 5_000; n++) await log.append(`athena.evt.other.${n}`, Buffer.of(0), 0);
    log.looked = 0;

    const fold = await Fold.load(NAME, bank, log);
    expect(fold.position.seq).toBe(3);
    expect(log.looked).toBeLessThan(500);
    log.looked = 0;

    await fold.catchUp(log);
    expect(log.looked).toBe(0);

    await run(time, log, undefined, ['c']);
    await fold.catchUp(log);
    expect(fold.position.seq).toBe(log.messages.length);
    expect(rowsOf(fold.state)).toEqual(rowsOf((await Fold.load(NAME, bank, log)).state));
  });
});

/** Opens the bank, opens accounts in it, closes it. */
async function run(
  time: SimulatedTime,
  log: MemoryLog,
  store: StateStore | undefined,
  accounts: readonly string[],
): Promise<void> {
  const options = { name: NAME, log, decider: bank, owner: 'o', clock: time, timers: time };
  const owner = await Partition.open(store ? { ...options, store } : options);
  for (const account of accounts) {
    await owner.ask(bankCommand({ op: 'open', input: { account } }, `open ${account}`));
  }
  await owner.close();
}

/** Operations that never succeed without an event. */
const MONEY = new Set(['deposit', 'withdraw', 'plan']);

/** Lets a history happen, with owners that come and go, and checks that acknowledged is done. */
async function live(steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  const time = new SimulatedTime();
  const log = new MemoryLog({ timers: time });
  const store = new RememberingStore();
  const acknowledged = new Set<string>();
  const options = {
    name: NAME,
    log,
    store,
    decider: bank,
    owner: 'o',
    clock: time,
    timers: time,
    fetch: async () => new Map<string, unknown>(),
  };
  const opened = async () => {
    const opening = Partition.open(options);
    await time.advance(1_000);
    return opening;
  };
  let owner = await opened();
  for (const action of steps) {
    if (action.do === 'ask') {
      const id = `c${action.id}`;
      owner.submit(bankCommand(action.operation, id), (answer) => {
        if ('ok' in answer && MONEY.has(action.operation.op)) acknowledged.add(id);
      });
      if (action.id % 3 === 0) await time.settle();
    } else if (action.do === 'wait') await time.advance(action.ms);
    else if (action.do === 'take over') owner = await opened();
    else if (action.do === 'restart') {
      const closing = owner.close();
      await time.advance(1_000);
      await closing;
      owner = await opened();
    } else if (action.do === 'store') store.failWith(action.up ? null : new Error('down'));
    else log.failNext(action.fault);
  }
  await time.advance(5_000);
  const closing = owner.close();
  await time.advance(1_000);
  await closing;
  for (const id of acknowledged) expect(owner.state.done.has(id)).toBe(true);
  return { log, store };
}
