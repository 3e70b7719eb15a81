import type { StateRow } from './port.js';

/**
 * A map whose changes are remembered, so that a checkpoint writes only what changed. Values are
 * plain JSON. Edit a value in place only through `edit`, which marks it.
 */
export class Table<V> {
  readonly name: string;
  readonly #rows = new Map<string, V>();
  readonly #dirty = new Set<string>();
  /** Keys that stand in the store: deleting any other leaves nothing to delete there. */
  readonly #stored = new Set<string>();
  /** Whether changes are remembered; until then all rows together are one change. */
  #tracking = false;
  /** Whether `#stored` is exact. After a load it is not: an earlier owner may have saved since. */
  #storedKnown = false;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#rows.size;
  }
  get(key: string): V | undefined {
    return this.#rows.get(key);
  }
  has(key: string): boolean {
    return this.#rows.has(key);
  }
  values(): IterableIterator<V> {
    return this.#rows.values();
  }
  entries(): IterableIterator<[string, V]> {
    return this.#rows.entries();
  }
  set(key: string, value: V): V {
    this.#rows.set(key, value);
    this.#touch(key);
    return value;
  }
  edit(key: string): V | undefined {
    const value = this.#rows.get(key);
    if (value !== undefined) this.#touch(key);
    return value;
  }
  delete(key: string): void {
    if (this.#rows.delete(key)) this.#touch(key);
  }

  /** Rows to write and keys to remove since the last call; the first time, all rows. */
  takeChanges(): TableChanges {
    const upserts: StateRow[] = [];
    const deletes: { table: string; key: string }[] = [];
    for (const key of this.#tracking ? this.#dirty : this.#rows.keys()) {
      const value = this.#rows.get(key);
      if (value !== undefined) {
        upserts.push({ table: this.name, key, json: JSON.stringify(value) });
        this.#stored.add(key);
      } else if (this.#stored.delete(key) || !this.#storedKnown) {
        deletes.push({ table: this.name, key });
      }
    }
    this.#dirty.clear();
    this.#tracking = true;
    this.#storedKnown = true;
    return { upserts, deletes };
  }

  /** Puts changes back that could not be written, so that the next checkpoint has them. */
  giveBack(changes: TableChanges): void {
    for (const { key, table } of [...changes.upserts, ...changes.deletes]) {
      if (table !== this.name) continue;
      this.#dirty.add(key);
      this.#stored.add(key);
    }
  }

  /** As new: nothing is known to be in the store, and all rows together are the next change. */
  forgetStored(): void {
    this.#tracking = false;
    this.#dirty.clear();
    this.#stored.clear();
  }

  /** How many rows the next checkpoint would touch. */
  get changed(): number {
    return this.#tracking ? this.#dirty.size : this.#rows.size;
  }

  /** What stands in the store has been restored: from now on only changes are written. */
  track(): void {
    this.#tracking = true;
    this.#storedKnown = false;
  }

  /** Fills from the store; nothing is marked as changed. */
  restore(key: string, value: unknown): void {
    this.#rows.set(key, value as V);
    this.#stored.add(key);
  }

  #touch(key: string): void {
    if (this.#tracking) this.#dirty.add(key);
  }
}

export interface TableChanges {
  readonly upserts: readonly StateRow[];
  readonly deletes: readonly { readonly table: string; readonly key: string }[];
}
