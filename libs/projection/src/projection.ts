import type { LoggedEvent } from '@athena/event-log';

/** Where an event stands, for projections. */
export interface Placed {
  readonly seq: number;
  readonly index: number;
  /** Milliseconds. */
  readonly at: number;
  readonly partition: string;
  readonly rev: number;
}

/**
 * How a column is stored, and what a row's field holds: `timestamptz` a number of milliseconds,
 * `json` and `jsonb` the value itself, `int8` a number, `bytea` a Buffer; all may be null where
 * the column is nullable. `json` keeps the text as it is (any JSON that JSON.stringify writes);
 * `jsonb` can be searched, but what it can't hold (NUL, lone surrogates) is replaced by U+FFFD.
 */
export type ColumnType =
  | 'text'
  | 'text[]'
  | 'uuid'
  | 'json'
  | 'jsonb'
  | 'int4'
  | 'int8'
  | 'float8'
  | 'bool'
  | 'timestamptz'
  | 'bytea';

/** A column of a projection's table: its name (also the row's field) and its Postgres type. */
export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable?: boolean;
}

/**
 * Counts of a projection's rows by group, kept beside them in the same transaction, so that
 * statistics never scan. The table has the columns (all text, together its key) and `n` bigint.
 */
export interface Tally<R extends object = Record<string, unknown>> {
  readonly table: string;
  readonly columns: readonly string[];
  /** The group that a row counts in: the columns' values in order. */
  groupOf(row: R): readonly string[];
}

/**
 * A read model: a pure fold of events into the rows of one table. The live path and a rebuild
 * from zero are the same code. Row fields are named as the columns (snake_case).
 */
export interface Projection<R extends object = Record<string, unknown>> {
  /** Also the name of the view over the current version's table. */
  readonly name: string;
  readonly version: number;
  /** `<name>_v<version>`, made by a TypeORM migration. */
  readonly table: string;
  readonly key: readonly string[];
  readonly columns: readonly Column[];
  /** Aggregates whose partitions it reads: `['task']`; absent: all. */
  readonly aggregates?: readonly string[];
  readonly tally?: Tally<R>;
  /** Which row an event concerns: the values of `key` in order; null: none. */
  keyOf(event: LoggedEvent, placed: Placed): readonly string[] | null;
  /**
   * True where the event is the first that its row can have: the row is then not looked up.
   * Absent: every row is looked up once.
   */
  startsRow?(event: LoggedEvent): boolean;
  /**
   * The row after the event; null: no row (any more); the same object: nothing changed. Returns a
   * new object for a change, never edits `row`.
   */
  apply(row: R | null, event: LoggedEvent, placed: Placed): R | null;
}

/** Hands over a projection whose row type is known, without losing the check of its members. */
export const defineProjection = <R extends object>(projection: Projection<R>): Projection =>
  projection as unknown as Projection;
