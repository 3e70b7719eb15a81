import { FIRST_PREV, decodeCommit, partitionOf, subjectOf, type Commit } from './commit.js';
import type { Decider } from './decider.js';
import { FormatCheck, type NewerFormat } from './newer-format.js';
import type { Checkpoint, EventLog, Seq, StateChange, StateStore, StoredState } from './port.js';

export interface Position {
  readonly seq: Seq;
  readonly rev: number;
  readonly hash: string;
  readonly epoch: number;
  /** Time of the last commit, milliseconds; 0 before the first. */
  readonly at: number;
}

/** A fold whose changes outnumber its rows by this many forgets them: writing all is cheaper. */
const CHANGES_BEYOND_ROWS_MAX = 10_000;

const START: Position = { seq: 0, rev: 0, hash: FIRST_PREV, epoch: 0, at: 0 };

/** The partition's chain of commits does not hold: nothing may be built on it. */
export class BrokenChain extends Error {
  override readonly name = 'BrokenChain';
}

/** One partition's state with the position it stands at. */
export class Fold<S> {
  readonly partition: string;
  readonly decider: Decider<S>;
  state: S;
  position: Position = START;
  readonly #format: FormatCheck;
  /** Nothing of this fold is in the store, whatever stands there. */
  #whole = true;

  constructor(partition: string, decider: Decider<S>, protocol?: number) {
    this.partition = partition;
    this.decider = decider;
    this.#format = new FormatCheck(partition, decider.events, protocol);
    this.state = decider.initial();
  }

  /** What was folded that only a later release can have written; null: nothing. */
  get newer(): NewerFormat | null {
    return this.#format.found;
  }

  /** Folds a commit of this partition; checks that it is the next of the chain. */
  apply(commit: Commit): void {
    const { header } = commit;
    if (header.rev !== this.position.rev + 1 || header.prev !== this.position.hash) {
      throw new BrokenChain(
        `${this.partition}: commit ${header.rev} at ${commit.seq} does not follow ` +
          `${this.position.rev} at ${this.position.seq}`,
      );
    }
    this.#format.look(commit);
    this.evolve(commit);
    this.position = {
      seq: commit.seq,
      rev: header.rev,
      hash: commit.hash,
      epoch: header.epoch,
      at: commit.at,
    };
    this.#boundChanges();
  }

  private evolve({ events, header, at }: Commit): void {
    const { rev, epoch } = header;
    events.forEach((event, index) =>
      this.decider.evolve(this.state, event, { at, rev, index, epoch }),
    );
  }

  /** What changed since the last call, as of the present position; the first time, everything. */
  takeChanges(): StateChange {
    const changes = this.decider.tables(this.state).map((table) => table.takeChanges());
    const { seq, rev, hash, epoch } = this.position;
    const whole = this.#whole;
    this.#whole = false;
    return {
      checkpoint: { seq, rev, hash, epoch, version: this.decider.version },
      whole,
      upserts: changes.flatMap((change) => change.upserts),
      deletes: changes.flatMap((change) => change.deletes),
    };
  }

  /** A change that was not saved is part of the next one. */
  giveBack(change: StateChange): void {
    if (change.whole) return this.#forgetStored();
    for (const table of this.decider.tables(this.state)) table.giveBack(change);
  }

  get changedRows(): number {
    return this.decider.tables(this.state).reduce((sum, table) => sum + table.changed, 0);
  }

  restore({ checkpoint, rows }: StoredState, at: number): void {
    const tables = new Map(this.decider.tables(this.state).map((table) => [table.name, table]));
    for (const { table, key, json } of rows) tables.get(table)?.restore(key, JSON.parse(json));
    for (const table of tables.values()) table.track();
    this.#whole = false;
    this.decider.reindex(this.state);
    const { seq, rev, hash, epoch } = checkpoint;
    this.position = { seq, rev, hash, epoch, at };
  }

  /** A standby may follow for months without writing: what it remembers stays in proportion. */
  #boundChanges(): void {
    if (this.#whole) return;
    const tables = this.decider.tables(this.state);
    const beyond = tables.reduce((sum, { changed, size }) => sum + changed - size, 0);
    if (beyond > CHANGES_BEYOND_ROWS_MAX) this.#forgetStored();
  }

  #forgetStored(): void {
    this.#whole = true;
    for (const table of this.decider.tables(this.state)) table.forgetStored();
  }

  /** Folds everything of this partition that the log holds beyond the present position. */
  async catchUp(log: EventLog): Promise<void> {
    const mine = subjectOf(this.partition);
    const last = await log.lastSeq(mine);
    if (last === this.position.seq) return;
    const options = { from: this.position.seq + 1, subjects: (s: string) => s === mine };
    for await (const commits of log.read(options)) {
      for (const commit of commits) this.apply(commit);
      if (this.position.seq >= last) return;
    }
  }

  /**
   * The partition's state at the log's end: the stored state where it is usable, then the tail;
   * else the whole log. An unreadable store is not fatal: the log is the truth.
   */
  static async load<S>(
    partition: string,
    decider: Decider<S>,
    log: EventLog,
    store?: StateStore,
    protocol?: number,
  ): Promise<Fold<S>> {
    const stored = (await store?.load(partition).catch(() => null)) ?? null;
    const fold = new Fold(partition, decider, protocol);
    if (stored && stored.checkpoint.version === decider.version) {
      const at = await verifiedTime(log, partition, stored.checkpoint);
      if (at !== null) fold.restore(stored, at);
    }
    await fold.catchUp(log);
    return fold;
  }
}

/** The time of the checkpoint's commit if the log still holds exactly that commit, else null. */
async function verifiedTime(
  log: EventLog,
  partition: string,
  checkpoint: Checkpoint,
): Promise<number | null> {
  const message = await log.get(checkpoint.seq);
  if (!message || partitionOf(message.subject) !== partition) return null;
  const commit = decodeCommit(message.seq, message.subject, message.payload);
  return commit.hash === checkpoint.hash ? commit.at : null;
}
