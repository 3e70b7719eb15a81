import type { Performance } from '@athena/contracts';
import { Table, type StateChange, type StateRow } from '@athena/event-log';
import type { AgentRow } from './agent.js';
import type { Pause } from './pauses.js';
import type { ConcurrencyRow, RateRow } from './quota.js';
import { RouterState } from './router-state.js';
import { NOBODY, Task, type TaskRow } from './task.js';

/** Version of the rows' shape; rows of another version are not loaded. */
export const ROUTER_STATE_VERSION = 2;
/** A state whose changes outnumber its rows by this many forgets them: writing all is cheaper. */
const CHANGES_BEYOND_ROWS_MAX = 10_000;
const TALLY = 'tally';

interface Tally {
  readonly born: number;
  readonly registrySeq: number;
  /** Absent in rows of before there were several. */
  readonly partitions?: number;
}

export type RouterRows = Pick<StateChange, 'whole' | 'upserts' | 'deletes'>;

/**
 * The durable rows of a router's state: what has changed since they were last taken. Nothing of
 * proposals and claims is durable; the log and the agents' next claims bring both back.
 */
export class RouterCheckpoint {
  readonly state: RouterState;
  readonly #tally = new Table<Tally>('tally');
  readonly #tables: readonly Table<unknown>[];
  /** Nothing of this state is in the store, whatever stands there. */
  #whole = true;

  constructor(state: RouterState) {
    this.state = state;
    const { fleet, tasks, credentials, pauses, quotas } = state;
    this.#tables = [
      ...[fleet.kindTable, fleet.table, credentials, tasks.table],
      ...[pauses.table, quotas.concurrencies, quotas.rates, this.#tally],
    ];
  }

  /** A state from stored rows, at this position. */
  static restore(rows: readonly StateRow[], seq: number): RouterCheckpoint {
    const state = new RouterState();
    const checkpoint = new RouterCheckpoint(state);
    const of = <V>(name: string): [key: string, value: V][] =>
      rows
        .filter(({ table }) => table === name)
        .map(({ key, json }) => [key, JSON.parse(json) as V]);
    for (const [key, row] of of<Performance>('kind')) state.fleet.restoreKind(key, row);
    for (const [, row] of of<AgentRow>('agent')) state.fleet.restore(row);
    for (const [key, row] of of<string>('credential')) state.credentials.restore(key, row);
    for (const [key, row] of of<Pause>('pause')) state.pauses.table.restore(key, row);
    const { quotas } = state;
    for (const [key, row] of of<ConcurrencyRow>('concurrency')) quotas.restoreConcurrency(key, row);
    for (const [key, row] of of<RateRow>('rate')) quotas.restoreRate(key, row);
    const tasks = of<TaskRow>('task').map(([, row]) => row);
    for (const row of tasks.sort((a, b) => a.born - b.born)) restoreTask(state, row);
    for (const [, { born, registrySeq, partitions = 1 }] of of<Tally>(TALLY)) {
      Object.assign(state, { born, registrySeq });
      state.grow(partitions);
    }
    state.seq = seq;
    checkpoint.#whole = false;
    checkpoint.track();
    return checkpoint;
  }

  get changed(): number {
    return this.#tables.reduce((sum, { changed }) => sum + changed, 0);
  }

  take(): RouterRows {
    const { born, registrySeq, partitions } = this.state;
    this.#tally.set(TALLY, { born, registrySeq, partitions: partitions.length });
    const changes = this.#tables.map((table) => table.takeChanges());
    const whole = this.#whole;
    this.#whole = false;
    return {
      whole,
      upserts: changes.flatMap(({ upserts }) => upserts),
      deletes: changes.flatMap(({ deletes }) => deletes),
    };
  }

  /** A change that was not saved is part of the next one. */
  giveBack(rows: RouterRows): void {
    if (rows.whole) return this.#forget();
    for (const table of this.#tables) table.giveBack(rows);
  }

  /** From now on others may save too: which keys are in the store is not known any more. */
  track(): void {
    if (!this.#whole) for (const table of this.#tables) table.track();
  }

  /** A standby may follow for months without writing: what it remembers stays in proportion. */
  bound(): void {
    if (this.#whole) return;
    const beyond = this.#tables.reduce((sum, { changed, size }) => sum + changed - size, 0);
    if (beyond > CHANGES_BEYOND_ROWS_MAX) this.#forget();
  }

  #forget(): void {
    this.#whole = true;
    for (const table of this.#tables) table.forgetStored();
  }
}

function restoreTask({ fleet, tasks, quotas }: RouterState, row: TaskRow): void {
  const { project, requirements, excluded, avoided, waitsFor, hold, ...own } = row;
  const terms = own.terms && quotas.restored(project, own.terms);
  const set = fleet.setFor(project, requirements);
  const task = new Task({ ...own, set, terms, excluded: shared(excluded) });
  task.avoided = shared(avoided);
  task.status = own.status;
  task.assignments = own.assignments;
  task.waitsFor = waitsFor && new Set(waitsFor);
  task.gate = own.gate;
  task.offeredAt = own.offeredAt;
  task.hold = hold && { ...hold, agent: fleet.ensure(project, hold.agent) };
  tasks.restore(task);
}

const shared = (names: readonly string[]): readonly string[] =>
  names.length === 0 ? NOBODY : names;
