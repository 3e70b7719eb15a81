import pg, { type PoolClient } from 'pg';
import { arrayLiteral, binaryArray } from './binary.js';
import { chunks } from './chunks.js';
import type { Column, ColumnType } from './projection.js';

/** Rows in one statement; more go in several. */
export const ROWS_PER_STATEMENT_MAX = 2_000;

export type Row = Readonly<Record<string, unknown>>;

/** Identifiers come from our own definitions; quoting keeps them literal. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const list = (names: readonly string[]): string => names.map(quoted).join(', ');

/** Bulk statements on one table: each moves whole columns as array parameters. */
export class RowTable {
  readonly name: string;
  readonly #columns: readonly Column[];
  readonly #key: readonly Column[];
  readonly #select: string;
  readonly #upsert: string;
  readonly #remove: string;

  constructor(name: string, columns: readonly Column[], key: readonly string[]) {
    this.name = name;
    this.#columns = columns;
    this.#key = key.map((part) => columns.find((column) => column.name === part) as Column);
    if (this.#key.includes(undefined as never)) throw new Error(`${name}: key is not a column`);
    this.#select = this.#selectText();
    this.#upsert = this.#upsertText();
    this.#remove = `delete from ${quoted(name)} where ${this.#isKey()}`;
  }

  async load(client: PoolClient, keys: readonly (readonly string[])[]): Promise<Row[]> {
    const rows: Row[] = [];
    for (const chunk of chunks(keys, ROWS_PER_STATEMENT_MAX)) {
      const values = this.#keyValues(chunk);
      const name = statementName('load', this.name);
      const found = await client.query<Row>({ name, text: this.#select, values, types: ROW_TYPES });
      rows.push(...found.rows);
    }
    return rows;
  }

  async upsert(client: PoolClient, rows: readonly Row[]): Promise<void> {
    for (const chunk of chunks(rows, ROWS_PER_STATEMENT_MAX)) {
      const values = this.#columns.map(({ name, type }) =>
        parameter(
          type,
          chunk.map((row) => row[name]),
        ),
      );
      const name = statementName('upsert', this.name);
      await client.query({ name, text: this.#upsert, values });
    }
  }

  async remove(client: PoolClient, keys: readonly (readonly string[])[]): Promise<void> {
    for (const chunk of chunks(keys, ROWS_PER_STATEMENT_MAX)) {
      const values = this.#keyValues(chunk);
      await client.query({ name: statementName('remove', this.name), text: this.#remove, values });
    }
  }

  #keyValues(keys: readonly (readonly string[])[]): unknown[] {
    return this.#key.map(({ type }, part) =>
      parameter(
        type,
        keys.map((key) => key[part]),
      ),
    );
  }

  #selectText(): string {
    const columns = list(this.#columns.map(({ name }) => name));
    return `select ${columns} from ${quoted(this.name)} where ${this.#isKey()}`;
  }

  #isKey(): string {
    const [first, ...others] = this.#key as [Column, ...Column[]];
    if (others.length === 0) return `${quoted(first.name)} = any($1::${first.type}[])`;
    const parameters = this.#key.map(({ type }, n) => `$${n + 1}::${type}[]`).join(', ');
    return `(${list(this.#key.map(({ name }) => name))}) in (select * from unnest(${parameters}))`;
  }

  #upsertText(): string {
    const names = this.#columns.map(({ name }) => name);
    const keys = this.#key.map(({ name }) => name);
    const values = this.#columns.map(({ name, type }) =>
      type === 'text[]' ? `${quoted(name)}::text[]` : quoted(name),
    );
    const parameters = this.#columns.map(({ type }, n) => `$${n + 1}::${elementType(type)}[]`);
    const updates = names
      .filter((name) => !keys.includes(name))
      .map((name) => `${quoted(name)} = excluded.${quoted(name)}`);
    return (
      `insert into ${quoted(this.name)} (${list(names)}) ` +
      `select ${values.join(', ')} from unnest(${parameters.join(', ')}) as r (${list(names)}) ` +
      `on conflict (${list(keys)}) do ` +
      (updates.length > 0 ? `update set ${updates.join(', ')}` : 'nothing')
    );
  }
}

/** An array of arrays must be rectangular in Postgres; as texts they may differ in length. */
const elementType = (type: ColumnType): string => (type === 'text[]' ? 'text' : type);

const parameter = (type: ColumnType, values: readonly unknown[]): Buffer =>
  type === 'text[]'
    ? binaryArray(
        'text',
        values.map((value) => (value === null ? null : arrayLiteral(value as string[]))),
      )
    : binaryArray(type, values);

/** Prepared once per connection; Postgres cuts names at 63 bytes. */
const statementName = (verb: string, table: string): string => `${verb}_${table}`.slice(0, 63);

const INT8 = 20;
const TIMESTAMPTZ = 1184;

/** `2026-01-31 10:00:00.123+00` (sessions run in UTC) → milliseconds. */
const milliseconds = (text: string): number =>
  Date.parse(`${text.slice(0, 10)}T${text.slice(11).replace(/\+00$/, 'Z')}`);

const parserOf = (oid: number): ((text: string) => unknown) => {
  if (oid === INT8) return Number;
  if (oid === TIMESTAMPTZ) return milliseconds;
  return pg.types.getTypeParser(oid, 'text') as (text: string) => unknown;
};

/** Reads rows in the form that projections write them (see ColumnType). */
export const ROW_TYPES = { getTypeParser: parserOf as typeof pg.types.getTypeParser };
