import { subjectOf, type Commit, type LoggedEvent } from '@athena/event-log';
import type { PoolClient } from 'pg';
import type { Placed, Projection } from './projection.js';
import type { ReadModel } from './read-model.js';
import { RowTable, type Row } from './row-table.js';
import { TallyTable } from './tally-table.js';

/** Rows kept between batches, by the bytes of the events that made them. */
export const ROW_CACHE_BYTES_MAX = 32 * 1024 * 1024;
/** What a row weighs besides its events. */
const ROW_BYTES = 256;
const KEY_SEPARATOR = '\u0000';

/** A row as the batch knows it. */
interface Entry {
  readonly key: readonly string[];
  /** undefined: not looked up yet. */
  row: Row | null | undefined;
  /** The row as it stands in the table. */
  stored: Row | null;
  bytes: number;
}

interface Step {
  readonly entry: Entry;
  readonly event: LoggedEvent;
  readonly placed: Placed;
}

/**
 * Keeps a projection's table: folds a batch in memory and writes each touched row once, with its
 * last value. A task that is created and finished inside one batch costs one row.
 */
export class TableModel implements ReadModel {
  readonly name: string;
  readonly version: number;
  readonly durable = false;
  readonly subjects?: (subject: string) => boolean;
  readonly projection: Projection;
  readonly #table: RowTable;
  readonly #counts: TallyTable | null;
  /** Most recently used last. */
  readonly #cache = new Map<string, Entry>();
  #cachedBytes = 0;

  /** @param suffix of other tables than the projection's own, for a rebuild beside them. */
  constructor(projection: Projection, suffix = '') {
    this.name = projection.name;
    this.version = projection.version;
    this.projection = projection;
    const { table, columns, key, tally } = projection;
    this.#table = new RowTable(table + suffix, columns, key);
    this.#counts = tally ? new TallyTable(tally, tally.table + suffix) : null;
    const prefixes = projection.aggregates?.map((aggregate) => subjectOf(`${aggregate}.`));
    if (prefixes) {
      this.subjects = (subject) => prefixes.some((prefix) => subject.startsWith(prefix));
    }
  }

  async write(client: PoolClient, commits: readonly Commit[]): Promise<number> {
    const touched = new Map<string, Entry>();
    const steps = this.#steps(commits, touched);
    await this.#lookUp(client, touched);
    for (const { entry, event, placed } of steps) {
      entry.row = this.projection.apply(entry.row as Row | null, event, placed);
    }
    const changed = [...touched.values()].filter(({ row, stored }) => row !== stored);
    await this.#store(client, changed);
    await this.#counts?.count(client, changed as readonly (Entry & { row: Row | null })[]);
    this.#keep(touched);
    return changed.length;
  }

  forget(): void {
    this.#cache.clear();
    this.#cachedBytes = 0;
  }

  #steps(commits: readonly Commit[], touched: Map<string, Entry>): Step[] {
    const steps: Step[] = [];
    for (const { seq, at, header, events, lines } of commits) {
      const { partition, rev } = header;
      for (let index = 0; index < events.length; index++) {
        const event = events[index] as LoggedEvent;
        const placed = { seq, index, at, partition, rev };
        const key = this.projection.keyOf(event, placed);
        if (key === null) continue;
        const entry = this.#entry(key, event, touched);
        entry.bytes += (lines[index] as string).length;
        steps.push({ entry, event, placed });
      }
    }
    return steps;
  }

  #entry(key: readonly string[], event: LoggedEvent, touched: Map<string, Entry>): Entry {
    const id = keyText(key);
    const known = touched.get(id) ?? this.#takeCached(id);
    if (known) {
      touched.set(id, known);
      return known;
    }
    const isNew = this.projection.startsRow?.(event) === true;
    const entry: Entry = { key, row: isNew ? null : undefined, stored: null, bytes: ROW_BYTES };
    touched.set(id, entry);
    return entry;
  }

  async #lookUp(client: PoolClient, touched: ReadonlyMap<string, Entry>): Promise<void> {
    const unknown = [...touched.values()].filter(({ row }) => row === undefined);
    if (unknown.length === 0) return;
    const keys = unknown.map(({ key }) => key);
    for (const row of await this.#table.load(client, keys)) {
      const key = this.projection.key.map((part) => row[part] as string);
      const entry = touched.get(keyText(key));
      if (!entry)
        throw new Error(`${this.name}: key ${JSON.stringify(key)} was not stored exactly`);
      entry.row = row;
      entry.stored = row;
    }
    for (const entry of unknown) entry.row ??= null;
  }

  async #store(client: PoolClient, changed: readonly Entry[]): Promise<void> {
    const upserts: Row[] = [];
    const removed: (readonly string[])[] = [];
    for (const { key, row } of changed) {
      if (row) upserts.push(row);
      else removed.push(key);
    }
    if (upserts.length > 0) await this.#table.upsert(client, upserts);
    if (removed.length > 0) await this.#table.remove(client, removed);
  }

  #takeCached(id: string): Entry | undefined {
    const entry = this.#cache.get(id);
    if (!entry) return undefined;
    this.#cache.delete(id);
    this.#cachedBytes -= entry.bytes;
    return entry;
  }

  #keep(touched: ReadonlyMap<string, Entry>): void {
    for (const [id, entry] of touched) {
      if (!entry.row) continue;
      entry.stored = entry.row;
      this.#cache.set(id, entry);
      this.#cachedBytes += entry.bytes;
    }
    for (const [id, entry] of this.#cache) {
      if (this.#cachedBytes <= ROW_CACHE_BYTES_MAX) return;
      this.#cache.delete(id);
      this.#cachedBytes -= entry.bytes;
    }
  }
}

const keyText = (key: readonly string[]): string =>
  key.length === 1 ? (key[0] as string) : key.join(KEY_SEPARATOR);
