import type { PoolClient } from 'pg';
import type { Slot } from './checkpoints.js';
import type { Projection } from './projection.js';
import { quoted } from './row-table.js';

/** What a slot's tables and their indexes are called by, behind the projection's own names. */
export const suffixOf = (slot: Slot): string => (slot === 'live' ? '' : `_${slot}`);

const tablesOf = ({ table, tally }: Projection): readonly string[] =>
  tally ? [table, tally.table] : [table];

/** Empty tables of the live ones' form, with indexes called as theirs; others of the slot go. */
export async function makeTables(
  client: PoolClient,
  projection: Projection,
  slot: Slot,
): Promise<void> {
  await dropTables(client, projection, slot);
  for (const table of tablesOf(projection)) {
    const made = table + suffixOf(slot);
    await client.query(`create table ${quoted(made)} (like ${quoted(table)} including all)`);
    const { rows } = await client.query<IndexPair>(INDEX_PAIRS, [quoted(table), quoted(made)]);
    for (const { theirs, made } of rows) await renameIndex(client, made, theirs + suffixOf(slot));
  }
}

export async function dropTables(
  client: PoolClient,
  projection: Projection,
  slot: Slot,
): Promise<void> {
  for (const table of tablesOf(projection)) {
    await client.query(`drop table if exists ${quoted(table + suffixOf(slot))}`);
  }
}

/** The tables of one slot become those of another that has none; the view goes with them. */
export async function renameTables(
  client: PoolClient,
  projection: Projection,
  from: Slot,
  to: Slot,
): Promise<void> {
  for (const table of tablesOf(projection)) {
    const [was, becomes] = [table + suffixOf(from), table + suffixOf(to)];
    const { rows } = await client.query<{ name: string }>(INDEXES, [quoted(was)]);
    for (const { name } of rows) {
      const base = suffixOf(from) === '' ? name : name.slice(0, -suffixOf(from).length);
      await renameIndex(client, name, base + suffixOf(to));
    }
    await client.query(`alter table ${quoted(was)} rename to ${quoted(becomes)}`);
  }
}

/**
 * Lets the projection's view show the slot's table. A view that shows something else, such as the
 * table of a newer version, is left alone.
 */
export async function showTable(
  client: PoolClient,
  { name, table }: Projection,
  slot: Slot,
): Promise<void> {
  const { rowCount } = await client.query(SHOWN, [name, table]);
  if (rowCount === 0) return;
  const shown = quoted(table + suffixOf(slot));
  await client.query(`create or replace view ${quoted(name)} as select * from ${shown}`);
}

/** Whether the slot's tables are there, with the columns that the live ones have now. */
export async function haveLiveForm(
  client: PoolClient,
  projection: Projection,
  slot: Slot,
): Promise<boolean> {
  for (const table of tablesOf(projection)) {
    const live = await columnsOf(client, table);
    if (live === null || live !== (await columnsOf(client, table + suffixOf(slot)))) return false;
  }
  return true;
}

/** Freshly written tables are planned for as if they were empty, until this. */
export async function analyzeTables(
  client: PoolClient,
  projection: Projection,
  slot: Slot,
): Promise<void> {
  for (const table of tablesOf(projection)) {
    await client.query(`analyze ${quoted(table + suffixOf(slot))}`);
  }
}

interface IndexPair {
  readonly theirs: string;
  readonly made: string;
}

/** What an index covers is the same text for the same index of two tables. */
const DESCRIBED = `
  select c.relname as name, i.indrelid as owner, i.indisunique as is_unique, d.text,
    row_number() over (partition by i.indrelid, i.indisunique, d.text order by c.oid) as n
  from pg_index i join pg_class c on c.oid = i.indexrelid,
    lateral (select substring(pg_get_indexdef(c.oid) from ' USING .*') as text) d`;
const INDEX_PAIRS = `
  with described as (${DESCRIBED})
  select theirs.name as theirs, made.name as made
  from described theirs join described made using (is_unique, text, n)
  where theirs.owner = $1::regclass and made.owner = $2::regclass`;
const INDEXES = `
  select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
  where i.indrelid = $1::regclass`;
const SHOWN = `
  select 1 from information_schema.view_table_usage
  where view_schema = current_schema() and table_schema = current_schema()
    and view_name = $1 and table_name = $2`;
const COLUMNS = `
  select string_agg(format('%s %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', '
    order by a.attname) as columns
  from pg_attribute a where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped`;

async function columnsOf(client: PoolClient, table: string): Promise<string | null> {
  const { rows } = await client.query<{ columns: string | null }>(COLUMNS, [quoted(table)]);
  return rows[0]?.columns ?? null;
}

const renameIndex = (client: PoolClient, from: string, to: string): Promise<unknown> =>
  client.query(`alter index ${quoted(from)} rename to ${quoted(to)}`);
