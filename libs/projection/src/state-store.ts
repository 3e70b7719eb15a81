import type { StateChange, StateRow, StateStore, StoredState } from '@athena/event-log';
import type { Pool, PoolClient } from 'pg';
import { binaryArray, binaryJsonTexts } from './binary.js';
import { chunks } from './chunks.js';
import { stateTableOf, type StateTable } from './state-tables.js';

/** Rows in one statement; more go in several, in one transaction. */
export const STATE_ROWS_PER_STATEMENT_MAX = 5_000;

interface StoredCheckpoint {
  readonly epoch: string;
  readonly seq: string;
  readonly rev: string;
  readonly hash: string;
  readonly version: number;
}

/** Checkpoints of partitions' states in Postgres. Always on disk when `save` resolves. */
export class PostgresStateStore implements StateStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** Rows and checkpoint as of one instant; null: nothing is stored. */
  load(name: string): Promise<StoredState | null> {
    const table = stateTableOf(name);
    return this.#transaction('begin isolation level repeatable read read only', async (client) => {
      const found = await client.query<StoredCheckpoint>(
        'select epoch, seq, rev, hash, version from state_checkpoints where partition = $1',
        [name],
      );
      const [checkpoint] = found.rows;
      if (!checkpoint) return null;
      const { rows } = await client.query<StateRow>(
        `select tab as table, key, data::text as json from ${table} where partition = $1`,
        [name],
      );
      return { checkpoint: parsed(checkpoint), rows };
    });
  }

  /** False: a newer checkpoint stands; nothing was written. */
  save(name: string, change: StateChange): Promise<boolean> {
    const table = stateTableOf(name);
    return this.#transaction('begin', async (client) => {
      if (!(await advance(client, name, change))) return false;
      if (change.whole) await clear(client, table, name);
      for (const rows of chunks(change.upserts, STATE_ROWS_PER_STATEMENT_MAX))
        await upsert(client, table, name, rows);
      for (const rows of chunks(change.deletes, STATE_ROWS_PER_STATEMENT_MAX))
        await remove(client, table, name, rows);
      return true;
    });
  }

  async #transaction<T>(begin: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    try {
      await client.query(begin);
      const result = await work(client);
      await client.query(result === false ? 'rollback' : 'commit');
      return result;
    } catch (error) {
      broken = error as Error;
      throw error;
    } finally {
      client.release(broken);
    }
  }
}

const parsed = ({
  epoch,
  seq,
  rev,
  hash,
  version,
}: StoredCheckpoint): StoredState['checkpoint'] => ({
  epoch: Number(epoch),
  seq: Number(seq),
  rev: Number(rev),
  hash,
  version,
});

/** The compare-and-set: (epoch, seq) only grow; a whole state replaces one of its own epoch. */
async function advance(
  client: PoolClient,
  name: string,
  { checkpoint, whole }: StateChange,
): Promise<boolean> {
  const { epoch, seq, rev, hash, version } = checkpoint;
  const { rowCount } = await client.query(
    `insert into state_checkpoints as c (partition, epoch, seq, rev, hash, version)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (partition) do update set epoch = excluded.epoch, seq = excluded.seq,
       rev = excluded.rev, hash = excluded.hash, version = excluded.version
     where c.epoch < excluded.epoch
       or (c.epoch = excluded.epoch and ($7 or c.seq <= excluded.seq))`,
    [name, epoch, seq, rev, hash, version, whole],
  );
  return rowCount === 1;
}

const clear = (client: PoolClient, table: StateTable, name: string): Promise<unknown> =>
  client.query(`delete from ${table} where partition = $1`, [name]);

const upsert = (
  client: PoolClient,
  table: StateTable,
  name: string,
  rows: readonly StateRow[],
): Promise<unknown> =>
  client.query({
    name: `upsert_${table}`,
    text: `insert into ${table} (partition, tab, key, data)
      select $1, tab, key, data
      from unnest($2::text[], $3::text[], $4::json[]) as r (tab, key, data)
      on conflict (partition, tab, key) do update set data = excluded.data`,
    values: [name, ...keysOf(rows), binaryJsonTexts(rows.map(({ json }) => json))],
  });

const remove = (
  client: PoolClient,
  table: StateTable,
  name: string,
  rows: readonly { readonly table: string; readonly key: string }[],
): Promise<unknown> =>
  client.query({
    name: `remove_${table}`,
    text: `delete from ${table} s using unnest($2::text[], $3::text[]) as r (tab, key)
      where s.partition = $1 and s.tab = r.tab and s.key = r.key`,
    values: [name, ...keysOf(rows)],
  });

const keysOf = (rows: readonly { readonly table: string; readonly key: string }[]): Buffer[] => [
  binaryArray(
    'text',
    rows.map(({ table }) => table),
  ),
  binaryArray(
    'text',
    rows.map(({ key }) => exact(key)),
  ),
];

/** A key must come back as it was; Postgres' text can't hold NUL. */
function exact(key: string): string {
  if (!key.includes('\0')) return key;
  throw new Error(`keys of state rows can't hold NUL: ${JSON.stringify(key)}`);
}
