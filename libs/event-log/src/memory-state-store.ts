import type { Checkpoint, StateChange, StateRow, StateStore, StoredState } from './port.js';

interface Stored {
  readonly checkpoint: Checkpoint;
  readonly rows: Map<string, StateRow>;
}

/** The state store in memory, with the rules of the real one; for specs and simulations. */
export class MemoryStateStore implements StateStore {
  readonly #stored = new Map<string, Stored>();
  #failure: Error | null = null;

  /** Everything fails until called again with null, as when Postgres is down. */
  failWith(failure: Error | null): void {
    this.#failure = failure;
  }

  async load(name: string): Promise<StoredState | null> {
    if (this.#failure) throw this.#failure;
    const stored = this.#stored.get(name);
    return stored ? { checkpoint: stored.checkpoint, rows: [...stored.rows.values()] } : null;
  }

  async save(name: string, change: StateChange): Promise<boolean> {
    if (this.#failure) throw this.#failure;
    const standing = this.#stored.get(name);
    if (standing && isNewer(standing.checkpoint, change)) return false;
    const rows = change.whole ? new Map<string, StateRow>() : new Map(standing?.rows);
    for (const { table, key } of change.deletes) rows.delete(`${table}/${key}`);
    for (const row of change.upserts) rows.set(`${row.table}/${row.key}`, row);
    this.#stored.set(name, { checkpoint: change.checkpoint, rows });
    return true;
  }
}

const isNewer = (standing: Checkpoint, { checkpoint, whole }: StateChange): boolean =>
  standing.epoch > checkpoint.epoch ||
  (standing.epoch === checkpoint.epoch && !whole && standing.seq > checkpoint.seq);
