import {
  CLOCKS_RESTARTED,
  PARTITION_OPENED,
  Table,
  type Command,
  type DecideContext,
  type Decider,
  type Decision,
  type EventContext,
  type LoggedEvent,
} from '@athena/event-log';
import { refuse, type NewEvent, type RefusalDefinition } from '@athena/operation';

/*
 * A small domain of its own for tests of the log and the partition loop: accounts with a balance,
 * planned deposits (timers), waiting for a balance (parking), and closed accounts that are known
 * only to an archive (needs).
 */

export type BankOperation =
  | { op: 'open'; input: { account: string } }
  | { op: 'deposit'; input: { account: string; amount: number } }
  | { op: 'withdraw'; input: { account: string; amount: number } }
  | { op: 'plan'; input: { account: string; amount: number; inMs: number } }
  | { op: 'pay-planned'; input: { plan: string } }
  | { op: 'close'; input: { account: string } }
  | { op: 'balance'; input: { account: string } }
  | { op: 'await-balance'; input: { account: string; atLeast: number; waitMs: number } }
  | { op: 'note'; input: { account: string; bytes: number } }
  | { op: 'fail'; input: { in: 'decide' | 'evolve' | 'answer' } };

type InputOf<O extends BankOperation['op']> = Extract<BankOperation, { op: O }>['input'];

interface Account {
  balance: number;
  notes: number;
}
interface Plan {
  readonly account: string;
  readonly amount: number;
  readonly at: number;
}
interface Tally {
  opened: number;
  clocksRestarted: number;
}

export interface BankState {
  readonly accounts: Table<Account>;
  readonly plans: Table<Plan>;
  /** Ids of the commands that have yielded events: a repeat yields none. */
  readonly done: Table<{ readonly rev: number }>;
  readonly tally: Table<Tally>;
  readonly woken: Set<string>;
  dueAt: number | undefined;
}

const refusal = (code: string, retryable = false): RefusalDefinition => ({
  code,
  kind: 'conflict',
  retryable,
  summary: code,
  remedy: code,
});
const NO_ACCOUNT = refusal('NO_ACCOUNT');
const OVERDRAWN = refusal('OVERDRAWN');

const event = (type: string, id: string, data: unknown): NewEvent => ({
  type,
  v: 1,
  project: 'bank',
  id,
  data,
});
const done = (answer: unknown, ...events: NewEvent[]): Decision => ({
  events,
  answer: () => answer,
});

export const bank: Decider<BankState> = {
  version: 1,
  events: [
    'AccountOpened',
    'Deposited',
    'Withdrawn',
    'DepositPlanned',
    'PlanPaid',
    'AccountClosed',
    'Noted',
    'Unfoldable',
  ].map((type) => ({ type, version: 1 })),

  initial: () => ({
    accounts: new Table('account'),
    plans: new Table('plan'),
    done: new Table('done'),
    tally: new Table('tally'),
    woken: new Set(),
    dueAt: undefined,
  }),

  decide(state, command, context) {
    if (state.done.has(command.id)) return done({ repeated: true });
    return decideNew(state, command, context);
  },

  evolve(state, logged, context) {
    if (logged.command !== undefined) state.done.set(logged.command, { rev: context.rev });
    evolveOne(state, logged, context);
    reindex(state);
  },

  tables: ({ accounts, plans, done, tally }) => [accounts, plans, done, tally],
  reindex,
  nextDueAt: ({ dueAt }) => dueAt,
  due: (state, now) =>
    [...state.plans.entries()]
      .filter(([, { at }]) => at <= now)
      .map(([plan]) => bankCommand({ op: 'pay-planned', input: { plan } }, `pay ${plan}`)),
  takeWoken(state) {
    const keys = [...state.woken];
    state.woken.clear();
    return keys;
  },
};

export const bankCommand = ({ op, input }: BankOperation, id: string): Command => ({
  op,
  id,
  project: 'bank',
  actor: 'key:teller',
  input,
});

function decideNew(state: BankState, command: Command, context: DecideContext): Decision {
  switch (command.op as BankOperation['op']) {
    case 'open': {
      const { account } = command.input as InputOf<'open'>;
      if (state.accounts.has(account)) return done({ balance: 0 });
      return done({ balance: 0 }, event('AccountOpened', account, {}));
    }
    case 'deposit': {
      const { account, amount } = command.input as InputOf<'deposit'>;
      if (!state.accounts.has(account)) return unknown(account, context);
      const { rev, index } = context;
      const deposited = event('Deposited', account, { amount });
      const answer = (seq: number) => ({
        balance: state.accounts.get(account)?.balance,
        place: [rev, index],
        seq,
      });
      return { events: [deposited], answer };
    }
    case 'withdraw': {
      const { account, amount } = command.input as InputOf<'withdraw'>;
      const found = state.accounts.get(account);
      if (!found) return unknown(account, context);
      if (found.balance < amount) {
        return { refusal: refuse(OVERDRAWN, `${account} has ${found.balance}`) };
      }
      return done({ balance: found.balance - amount }, event('Withdrawn', account, { amount }));
    }
    case 'plan': {
      const { account, amount, inMs } = command.input as InputOf<'plan'>;
      const data = { plan: command.id, amount, at: context.now + inMs };
      return done({ plan: command.id }, event('DepositPlanned', account, data));
    }
    case 'pay-planned': {
      const { plan } = command.input as InputOf<'pay-planned'>;
      const found = state.plans.get(plan);
      if (!found) return done({});
      return done({}, event('PlanPaid', found.account, { plan, amount: found.amount }));
    }
    case 'close': {
      const { account } = command.input as InputOf<'close'>;
      if (!state.accounts.has(account)) return done({});
      return done({}, event('AccountClosed', account, {}));
    }
    case 'balance': {
      const { account } = command.input as InputOf<'balance'>;
      const found = state.accounts.get(account);
      return found ? done({ balance: found.balance }) : unknown(account, context);
    }
    case 'await-balance': {
      const { account, atLeast, waitMs } = command.input as InputOf<'await-balance'>;
      const balance = state.accounts.get(account)?.balance ?? 0;
      if (balance >= atLeast) return done({ balance });
      const until = context.arrivedAt + waitMs;
      return context.now >= until ? done({ timedOut: true }) : { park: account, until };
    }
    case 'note': {
      const { account, bytes } = command.input as InputOf<'note'>;
      return done({}, event('Noted', account, { text: 'x'.repeat(bytes) }));
    }
    case 'fail':
      return decideToFail((command.input as InputOf<'fail'>).in);
  }
}

/** An account that is not open: the archive knows whether there ever was one. */
function unknown(account: string, { fetched }: DecideContext): Decision {
  if (!fetched.has(account)) return { needs: [account] };
  const archived = fetched.get(account);
  const detail = archived ? `${account} was closed` : `there never was ${account}`;
  return { refusal: refuse(NO_ACCOUNT, detail) };
}

function decideToFail(where: 'decide' | 'evolve' | 'answer'): Decision {
  if (where === 'decide') throw new Error('a fault in decide');
  if (where === 'evolve') return done({}, event('Unfoldable', 'x', {}));
  const answer = (): never => {
    throw new Error('a fault in answer');
  };
  return { events: [event('Noted', 'x', { text: '' })], answer };
}

function evolveOne(state: BankState, { type, id, data }: LoggedEvent, _at: EventContext): void {
  const { amount = 0, plan = '', at = 0 } = data as { amount?: number; plan?: string; at?: number };
  const tally = (): Tally =>
    state.tally.edit('tally') ?? state.tally.set('tally', { opened: 0, clocksRestarted: 0 });
  state.woken.add(id);
  switch (type) {
    case PARTITION_OPENED:
      tally().opened++;
      return;
    case CLOCKS_RESTARTED:
      tally().clocksRestarted++;
      return;
    case 'AccountOpened':
      state.accounts.set(id, { balance: 0, notes: 0 });
      return;
    case 'AccountClosed':
      state.accounts.delete(id);
      return;
    case 'Deposited':
      return add(state, id, amount);
    case 'Withdrawn':
      return add(state, id, -amount);
    case 'DepositPlanned':
      state.plans.set(plan, { account: id, amount, at });
      return;
    case 'PlanPaid':
      state.plans.delete(plan);
      return add(state, id, amount);
    case 'Noted': {
      const account = state.accounts.edit(id);
      if (account) account.notes++;
      return;
    }
    default:
      throw new Error(`no such event: ${type}`);
  }
}

function add(state: BankState, id: string, amount: number): void {
  const account = state.accounts.edit(id);
  if (account) account.balance += amount;
}

function reindex(state: BankState): void {
  state.dueAt = undefined;
  for (const { at } of state.plans.values()) state.dueAt = Math.min(at, state.dueAt ?? Infinity);
}

/** All rows, as text that is equal where the states are. */
export const rowsOf = (state: BankState): string[] =>
  bank
    .tables(state)
    .flatMap((table) =>
      [...table.entries()].map(([key, row]) => `${table.name}/${key} ${canonical(row)}`),
    )
    .sort();

const canonical = (row: unknown): string =>
  JSON.stringify(row, (_key, value: unknown) =>
    value && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
