import type { Commit, EventLog, Seq } from '@athena/event-log';
import type { Pool, PoolClient } from 'pg';
import { BatchWriter } from './batch-writer.js';
import type { Heads } from './chain.js';
import { attach, takeLead, type CheckpointId } from './checkpoints.js';
import type { Projection } from './projection.js';
import { quoted } from './row-table.js';
import { TableModel } from './table-model.js';

export interface RebuildOptions {
  readonly pool: Pool;
  readonly log: Pick<EventLog, 'read'>;
  readonly projection: Projection;
  /** Told after every batch. */
  readonly onProgress?: (event: { seq: Seq; events: number }) => void;
}

export interface Rebuilt {
  /** The position at which the rebuilt table took the place of the former one. */
  readonly seq: Seq;
  readonly events: number;
}

const SUFFIX = '_rebuild';
/** Rounds of catching up with the log before giving up on ever reaching a busy writer. */
const ROUNDS_MAX = 1_000;

/**
 * Folds the log from zero into a table beside the projection's own, by the same code that runs
 * live, and then puts it in its place, all at once. Readers and the live writer go on meanwhile;
 * the writer is fenced at the switch and starts again from the rebuilt table.
 */
export async function rebuild(options: RebuildOptions): Promise<Rebuilt> {
  const client = await options.pool.connect();
  try {
    return await rebuildOn(client, options);
  } finally {
    client.release(true);
  }
}

async function rebuildOn(client: PoolClient, options: RebuildOptions): Promise<Rebuilt> {
  const { log, projection, onProgress } = options;
  const id = { name: projection.name, version: projection.version, slot: 'rebuild' } as const;
  if (!(await takeLead(client, id))) throw new Error(`${id.name} is being rebuilt already`);
  await prepare(client, projection);
  const model = new TableModel(projection, SUFFIX);
  const writer = new BatchWriter(client, model, id, await attach(client, id));
  let events = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const from = writer.checkpoint.seq + 1;
    const options = model.subjects ? { from, subjects: model.subjects } : { from };
    for await (const commits of log.read(options)) {
      const { seq } = commits.at(-1) as Commit;
      await writer.write(commits, seq);
      events += commits.reduce((sum, commit) => sum + commit.events.length, 0);
      onProgress?.({ seq, events });
    }
    const { seq } = writer.checkpoint;
    if (await switchOver(client, projection)) return { seq, events };
  }
  throw new Error(`the rebuild of ${projection.name} can't catch up with its live writer`);
}

/** An empty table of the same form; what an earlier, broken rebuild left goes. */
async function prepare(client: PoolClient, projection: Projection): Promise<void> {
  await inTransaction(client, async () => {
    for (const table of tablesOf(projection)) {
      const target = quoted(table + SUFFIX);
      await client.query(`drop table if exists ${target}`);
      await client.query(`create table ${target} (like ${quoted(table)} including all)`);
    }
    await forgetRebuild(client, projection);
  });
}

const tablesOf = ({ table, tally }: Projection): readonly string[] =>
  tally ? [table, tally.table] : [table];

interface SlotRow {
  readonly slot: CheckpointId['slot'];
  readonly heads: Heads;
}

/** False: the live table has come further meanwhile. */
function switchOver(client: PoolClient, projection: Projection): Promise<boolean> {
  const { name, version } = projection;
  return inTransaction(client, async () => {
    // The first statement of the live writer's batches is on its row too: it is held back here.
    const { rows } = await client.query<SlotRow>(
      `select slot, heads from projection_checkpoints
       where name = $1 and version = $2 order by slot for update`,
      [name, version],
    );
    const headsOf = (slot: string): Heads => rows.find((row) => row.slot === slot)?.heads ?? {};
    if (isBehind(headsOf('rebuild'), headsOf('live'))) return false;
    const view = `create or replace view ${quoted(name)} as select * from`;
    await client.query(`${view} ${quoted(projection.table + SUFFIX)}`);
    for (const table of tablesOf(projection)) {
      await client.query(`drop table ${quoted(table)}`);
      await client.query(`alter table ${quoted(table + SUFFIX)} rename to ${quoted(table)}`);
    }
    await takeCheckpointOver(client, projection);
    return true;
  });
}

const isBehind = (rebuilt: Heads, live: Heads): boolean =>
  Object.entries(live).some(([partition, { seq }]) => seq > (rebuilt[partition]?.seq ?? 0));

/** The live checkpoint becomes the rebuilt one, with an epoch that fences the live writer. */
async function takeCheckpointOver(client: PoolClient, projection: Projection): Promise<void> {
  await client.query(
    `insert into projection_checkpoints as l (name, version, slot, epoch, seq, heads)
     select name, version, 'live', 1, seq, heads from projection_checkpoints
       where name = $1 and version = $2 and slot = 'rebuild'
     on conflict (name, version, slot) do update
       set epoch = l.epoch + 1, seq = excluded.seq, heads = excluded.heads, updated_at = now()`,
    [projection.name, projection.version],
  );
  await forgetRebuild(client, projection);
}

const forgetRebuild = (client: PoolClient, { name, version }: Projection): Promise<unknown> =>
  client.query(
    `delete from projection_checkpoints where name = $1 and version = $2 and slot = 'rebuild'`,
    [name, version],
  );

/** Commits unless the work answers false. */
async function inTransaction<T>(client: PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query(result === false ? 'rollback' : 'commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
