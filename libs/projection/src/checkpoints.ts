import type { Seq } from '@athena/event-log';
import type { Pool, PoolClient } from 'pg';
import type { Heads } from './chain.js';

/**
 * Whose checkpoint: `live` is what the view shows, `rebuild` a table under construction,
 * `previous` the table that was live before the last rebuild.
 */
export type Slot = 'live' | 'rebuild' | 'previous';

export interface CheckpointId {
  readonly name: string;
  readonly version: number;
  readonly slot: Slot;
}

/** Where a projection stands, and which writer may move it. */
export interface ProjectionCheckpoint {
  /** Grows with every attach: a writer of an older epoch is fenced. */
  readonly epoch: number;
  readonly seq: Seq;
  /** Last commit folded of every partition. */
  readonly heads: Heads;
}

/** Another writer attached to the projection, or it was rebuilt: read the checkpoint again. */
export class Fenced extends Error {
  override readonly name = 'Fenced';
}

interface Stored {
  readonly epoch: string;
  readonly seq: string;
  readonly heads: Heads;
}

const parsed = ({ epoch, seq, heads }: Stored): ProjectionCheckpoint => ({
  epoch: Number(epoch),
  seq: Number(seq),
  heads,
});

/** Becomes the projection's writer: from now on every earlier one is fenced. */
export async function attach(
  client: PoolClient,
  { name, version, slot }: CheckpointId,
): Promise<ProjectionCheckpoint> {
  const { rows } = await client.query<Stored>(
    `insert into projection_checkpoints as c (name, version, slot, epoch, seq, heads)
     values ($1, $2, $3, 1, 0, '{}')
     on conflict (name, version, slot) do update set epoch = c.epoch + 1
     returning epoch, seq, heads`,
    [name, version, slot],
  );
  return parsed(rows[0] as Stored);
}

/** First statement of every batch's transaction. @throws Fenced */
export async function advance(
  client: PoolClient,
  { name, version, slot }: CheckpointId,
  from: ProjectionCheckpoint,
  to: Pick<ProjectionCheckpoint, 'seq' | 'heads'>,
): Promise<void> {
  const { rowCount } = await client.query({
    name: 'advance_checkpoint',
    text: `update projection_checkpoints set seq = $6, heads = $7, updated_at = now()
      where name = $1 and version = $2 and slot = $3 and epoch = $4 and seq = $5`,
    values: [name, version, slot, from.epoch, from.seq, to.seq, JSON.stringify(to.heads)],
  });
  if (rowCount !== 1) throw new Fenced(`projection ${name} v${version} has another writer now`);
}

/** How far the projection has come, whoever writes it; 0 before its first writer. */
export async function readPosition(
  pool: Pick<Pool, 'query'>,
  { name, version, slot }: CheckpointId,
): Promise<Seq> {
  const { rows } = await pool.query<{ seq: string }>(
    'select seq from projection_checkpoints where name = $1 and version = $2 and slot = $3',
    [name, version, slot],
  );
  return Number(rows[0]?.seq ?? 0);
}

const leadName = ({ name, version, slot }: CheckpointId): string =>
  `athena.projection.${name}.${version}.${slot}`;

/** Whether this connection leads now; the lead ends with the connection. */
export async function takeLead(client: PoolClient, id: CheckpointId): Promise<boolean> {
  const { rows } = await client.query<{ led: boolean }>(
    'select pg_try_advisory_lock(hashtextextended($1, 0)) as led',
    [leadName(id)],
  );
  return rows[0]?.led === true;
}

/**
 * Ends the connection that leads, whatever its process does, and with it a transaction that it
 * left open. A role may end its own connections. False: nobody leads any more.
 */
export async function endLead(client: PoolClient, id: CheckpointId): Promise<boolean> {
  const { rowCount } = await client.query(
    `select pg_terminate_backend(pid) from pg_locks
     where locktype = 'advisory' and granted and objsubid = 1
       and database = (select oid from pg_database where datname = current_database())
       and (classid::int8 << 32) | objid::int8 = hashtextextended($1, 0)`,
    [leadName(id)],
  );
  return (rowCount ?? 0) > 0;
}

/** At once, where the server would notice the closed connection a moment later. */
export const giveUpLead = (client: PoolClient): Promise<unknown> =>
  client.query('select pg_advisory_unlock_all()').catch(() => undefined);

interface SlotRow {
  readonly slot: Slot;
  readonly heads: Heads;
}

/**
 * Locks the projection's checkpoints: the first statement of a live batch is on them too, so that
 * its writer is held back until the transaction is over.
 */
export async function lockHeads(
  client: PoolClient,
  { name, version }: Pick<CheckpointId, 'name' | 'version'>,
): Promise<ReadonlyMap<Slot, Heads>> {
  const { rows } = await client.query<SlotRow>(
    `select slot, heads from projection_checkpoints
     where name = $1 and version = $2 order by slot for update`,
    [name, version],
  );
  return new Map(rows.map(({ slot, heads }) => [slot, heads]));
}

/**
 * Gives a slot's position to another one, whose writer is fenced by it. The position never goes
 * back: between the last commit of its own and its position a projection has nothing to read.
 */
export const copyCheckpoint = (
  client: PoolClient,
  { name, version, slot: from }: CheckpointId,
  to: Slot,
): Promise<unknown> =>
  client.query(
    `insert into projection_checkpoints as c (name, version, slot, epoch, seq, heads)
     select name, version, $4, 1, seq, heads from projection_checkpoints
       where name = $1 and version = $2 and slot = $3
     on conflict (name, version, slot) do update set epoch = c.epoch + 1,
       seq = greatest(c.seq, excluded.seq), heads = excluded.heads, updated_at = now()`,
    [name, version, from, to],
  );

export const dropCheckpoint = (
  client: PoolClient,
  { name, version, slot }: CheckpointId,
): Promise<unknown> =>
  client.query(
    'delete from projection_checkpoints where name = $1 and version = $2 and slot = $3',
    [name, version, slot],
  );
