import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Pool, PoolClient } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../tools/stack/servers.mjs';
import { CopyRows, copyInto } from './copy.js';
import { createPool } from './pool.js';
import type { Column } from './projection.js';
import { ROWS_PER_STATEMENT_MAX, RowTable, type Row } from './row-table.js';

const nullable = true;
const columns: readonly Column[] = [
  { name: 'id', type: 'text' },
  { name: 'part', type: 'uuid' },
  { name: 'words', type: 'text[]', nullable },
  { name: 'exact', type: 'json', nullable },
  { name: 'searchable', type: 'jsonb', nullable },
  { name: 'small', type: 'int4', nullable },
  { name: 'large', type: 'int8', nullable },
  { name: 'real', type: 'float8', nullable },
  { name: 'yes', type: 'bool', nullable },
  { name: 'at', type: 'timestamptz', nullable },
  { name: 'bytes', type: 'bytea', nullable },
];
const names = columns.map(({ name }) => name);

let postgres: RunningPostgres;
let pool: Pool;
let client: PoolClient;
const table = new RowTable('every_type', columns, ['id', 'part']);

beforeAll(async () => {
  postgres = await startPostgres();
  pool = createPool(postgres.url);
  client = await pool.connect();
  const definitions = columns.map(({ name, type }) => `"${name}" ${type}`).join(', ');
  await client.query(`create table every_type (${definitions}, primary key (id, part))`);
});
afterAll(async () => {
  client?.release();
  await pool?.end();
  await postgres?.stop();
});

const EMPTY = Object.fromEntries(columns.map(({ name }) => [name, null]));
const PART = '019a1b2c-0000-8000-8000-0000000000ff';
const rowOf = (fields: Record<string, unknown>): Row => ({ ...EMPTY, part: PART, ...fields });
const keyOf = (row: Row): [string, string] => [row['id'] as string, row['part'] as string];

async function through(row: Row): Promise<Row | undefined> {
  await client.query('truncate every_type');
  await table.upsert(client, [row]);
  return (await table.load(client, [keyOf(row)]))[0];
}

/** Postgres' text has no NUL, and UTF-8 no lone surrogates; both are replaced. */
const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''));
const orNull = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values);

const rows = fc.record({
  id: text,
  part: fc.uuid(),
  words: orNull(fc.array(text, { maxLength: 4 })),
  exact: orNull(fc.jsonValue()),
  searchable: orNull(fc.jsonValue({ stringUnit: 'grapheme' })),
  small: orNull(fc.integer()),
  large: orNull(fc.maxSafeInteger()),
  real: orNull(fc.double({ noNaN: true, noDefaultInfinity: true })),
  yes: orNull(fc.boolean()),
  at: orNull(
    fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true }).map(Number),
  ),
  bytes: orNull(fc.uint8Array().map((bytes) => Buffer.from(bytes))),
});

/** JSON has no -0, and knows no difference of an SQL null from its own. */
const stored = (row: Row): unknown => ({
  ...row,
  exact: JSON.parse(JSON.stringify(row['exact'])),
  searchable: JSON.parse(JSON.stringify(row['searchable'])),
});

describe('rows of a table', () => {
  it('come back as they went in, whatever they hold', async () => {
    const property = fc.asyncProperty(rows, async (row) => {
      expect(await through(row)).toEqual(stored(row));
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('are changed in place and removed by their key', async () => {
    await client.query('truncate every_type');
    await table.upsert(client, [rowOf({ id: 'a', small: 1 }), rowOf({ id: 'b', small: 1 })]);
    await table.upsert(client, [rowOf({ id: 'b', small: 2, words: ['x', '{"y",z}'] })]);
    await table.remove(client, [['a', PART]]);
    const keys = [
      ['a', PART],
      ['b', PART],
    ] as const;
    const found = await table.load(client, keys);
    expect(found).toEqual([rowOf({ id: 'b', small: 2, words: ['x', '{"y",z}'] })]);
  });

  it('may be more than one statement takes', async () => {
    await client.query('truncate every_type');
    const many = Array.from({ length: ROWS_PER_STATEMENT_MAX + 1 }, (_, n) =>
      rowOf({ id: `${n}` }),
    );
    await table.upsert(client, many);
    expect(await table.load(client, many.map(keyOf))).toHaveLength(many.length);
    await table.remove(client, many.map(keyOf));
    expect(await table.load(client, many.map(keyOf))).toEqual([]);
  });

  it('lose what Postgres can’t hold, and nothing else', async () => {
    const nasty = { a: '\u0000', b: '\ud800', c: '\\u0000', d: '\\\u0000' };
    const row = await through(rowOf({ id: 'a\0b', exact: nasty, searchable: nasty }));
    expect(row?.['id']).toBe('a\ufffdb');
    expect(row?.['exact']).toEqual(nasty);
    expect(row?.['searchable']).toEqual({ a: '\ufffd', b: '\ufffd', c: '\\u0000', d: '\\\ufffd' });
  });

  it.each([
    ['small', 2 ** 31, 'int4'],
    ['small', 1.5, 'int4'],
    ['large', '12', 'int8'],
    ['real', 'much', 'float8'],
    ['at', '2026-01-01T00:00:00Z', 'timestamptz'],
    ['part', 'not-a-uuid', 'UUID'],
  ])('refuse in %s the value %j', async (name, value, named) => {
    await expect(through(rowOf({ id: 'a', [name]: value }))).rejects.toThrow(named);
  });
});

describe('rows by COPY', () => {
  it('are the same as by upsert', async () => {
    const scalar = columns.filter(({ type }) => type !== 'text[]');
    const property = fc.asyncProperty(fc.array(rows, { maxLength: 3 }), async (some) => {
      const unique = some.filter((row, n) => some.findIndex(({ id }) => id === row.id) === n);
      await client.query('truncate every_type');
      const copied = new CopyRows(scalar.length);
      for (const row of unique) {
        copied.row();
        for (const { name, type } of scalar) copied.field(type as 'text', (row as Row)[name]);
      }
      await copyInto(
        client,
        'every_type',
        names.filter((name) => name !== 'words'),
        copied,
      );
      const found = await table.load(client, unique.map(keyOf));
      const expected = unique.map((row) => stored({ ...row, words: null }));
      const byId = (a: unknown, b: unknown): number =>
        (a as { id: string }).id < (b as { id: string }).id ? -1 : 1;
      expect([...found].sort(byId)).toEqual(expected.sort(byId));
    });
    await fc.assert(property, { numRuns: 25 });
  });
});
