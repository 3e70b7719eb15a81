import type { Commit, EventLog, Seq } from '@athena/event-log';
import type { Pool, PoolClient } from 'pg';
import { BatchWriter } from './batch-writer.js';
import type { Heads } from './chain.js';
import {
  attach,
  copyCheckpoint,
  dropCheckpoint,
  lockHeads,
  readPosition,
  takeLead,
  type CheckpointId,
} from './checkpoints.js';
import type { Projection } from './projection.js';
import {
  analyzeTables,
  dropTables,
  haveLiveForm,
  makeTables,
  renameTables,
  showTable,
  suffixOf,
} from './slot-tables.js';
import { TableModel } from './table-model.js';
import { inTransaction } from './transaction.js';

export interface RebuildOptions {
  readonly log: Pick<EventLog, 'read'>;
  readonly projection: Projection;
  /** Goes on where an earlier, broken one came to, if its tables are still of use. */
  readonly resume?: boolean;
  /** Told after every batch; what it throws ends the work. */
  readonly onProgress?: (event: Rebuilt) => void | Promise<void>;
  /** Part of the switch's transaction. */
  readonly onSwitch?: (event: Rebuilt) => Promise<void>;
}

export interface Rebuilt {
  /** The position that the table under construction stands at. */
  readonly seq: Seq;
  /** Folded so far, by this call. */
  readonly events: number;
}

/** What was kept of the projection can't take its place again. */
export class NoWayBack extends Error {
  override readonly name = 'NoWayBack';
}

/** Rounds of catching up with the log before giving up on ever reaching a busy writer. */
const ROUNDS_MAX = 1_000;

/**
 * Works on a connection that nobody else rebuilds the projection on at the same time; null where
 * somebody does.
 */
export async function leadingRebuild<T>(
  pool: Pool,
  { name, version }: Pick<Projection, 'name' | 'version'>,
  work: (client: PoolClient) => Promise<T>,
): Promise<T | null> {
  const client = await pool.connect();
  try {
    if (!(await takeLead(client, { name, version, slot: 'rebuild' }))) return null;
    return await work(client);
  } finally {
    // The lead ends with the connection.
    client.release(true);
  }
}

/**
 * Folds the log from zero into a table beside the projection's own, by the same code that runs
 * live, and then puts it in its place, all at once. Readers and the live writer go on meanwhile;
 * the writer is fenced at the switch and starts again from the rebuilt table. The table that was
 * live is kept as the previous one, with its checkpoint. Runs inside `leadingRebuild`.
 */
export async function rebuild(client: PoolClient, options: RebuildOptions): Promise<Rebuilt> {
  const { projection, resume = false } = options;
  const id = slotOf(projection, 'rebuild');
  const useful = resume && (await isUseful(client, projection));
  if (!useful) {
    await inTransaction(client, async () => {
      await makeTables(client, projection, 'rebuild');
      await dropCheckpoint(client, id);
    });
  }
  return catchUpAndSwitch(client, options, 'rebuild', async () => {
    await dropTables(client, projection, 'previous');
    await dropCheckpoint(client, slotOf(projection, 'previous'));
    await renameTables(client, projection, 'live', 'previous');
    await renameTables(client, projection, 'rebuild', 'live');
    await copyCheckpoint(client, slotOf(projection, 'live'), 'previous');
  });
}

/**
 * Lets the previous table catch up with the log and puts it back in its place; the one that is
 * live now goes. Runs inside `leadingRebuild`.
 * @throws NoWayBack
 */
export async function rollBack(client: PoolClient, options: RebuildOptions): Promise<Rebuilt> {
  const { projection } = options;
  const { name } = projection;
  if (!(await isKept(client, projection))) throw new NoWayBack(`nothing was kept of ${name}`);
  if (!(await haveLiveForm(client, projection, 'previous'))) {
    throw new NoWayBack(`the table kept of ${name} has other columns than it has now`);
  }
  return catchUpAndSwitch(client, options, 'previous', async () => {
    await dropTables(client, projection, 'live');
    await renameTables(client, projection, 'previous', 'live');
  });
}

/** What a rebuild that won't be resumed leaves behind. */
export async function dropRebuild(client: PoolClient, projection: Projection): Promise<void> {
  await dropTables(client, projection, 'rebuild');
  await dropCheckpoint(client, slotOf(projection, 'rebuild'));
}

const slotOf = ({ name, version }: Projection, slot: CheckpointId['slot']): CheckpointId => ({
  name,
  version,
  slot,
});

const isUseful = async (client: PoolClient, projection: Projection): Promise<boolean> =>
  (await readPosition(client, slotOf(projection, 'rebuild'))) > 0 &&
  (await haveLiveForm(client, projection, 'rebuild'));

async function isKept(client: PoolClient, { name, version }: Projection): Promise<boolean> {
  const heads = await inTransaction(client, () => lockHeads(client, { name, version }));
  return heads.has('previous');
}

async function catchUpAndSwitch(
  client: PoolClient,
  options: RebuildOptions,
  slot: 'rebuild' | 'previous',
  exchange: () => Promise<void>,
): Promise<Rebuilt> {
  const { log, projection, onProgress } = options;
  const model = new TableModel(projection, suffixOf(slot));
  const id = slotOf(projection, slot);
  const writer = new BatchWriter(client, model, id, await attach(client, id));
  let events = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const from = writer.checkpoint.seq + 1;
    for await (const commits of log.read({
      from,
      ...(model.subjects && { subjects: model.subjects }),
    })) {
      const { seq } = commits.at(-1) as Commit;
      await writer.write(commits, seq);
      events += commits.reduce((sum, commit) => sum + commit.events.length, 0);
      await onProgress?.({ seq, events });
    }
    if (round === 0) await analyzeTables(client, projection, slot);
    const done = { seq: writer.checkpoint.seq, events };
    if (await switchTo(client, options, slot, exchange, done)) return done;
  }
  throw new Error(`the rebuild of ${projection.name} can't catch up with its live writer`);
}

/** False: the live table has come further meanwhile. */
function switchTo(
  client: PoolClient,
  { projection, onSwitch }: RebuildOptions,
  slot: 'rebuild' | 'previous',
  exchange: () => Promise<void>,
  done: Rebuilt,
): Promise<boolean> {
  return inTransaction(client, async () => {
    const heads = await lockHeads(client, projection);
    if (isBehind(heads.get(slot) ?? {}, heads.get('live') ?? {})) return false;
    await showTable(client, projection, slot);
    await exchange();
    await copyCheckpoint(client, slotOf(projection, slot), 'live');
    await dropCheckpoint(client, slotOf(projection, slot));
    await onSwitch?.(done);
    return true;
  });
}

const isBehind = (rebuilt: Heads, live: Heads): boolean =>
  Object.entries(live).some(([partition, { seq }]) => seq > (rebuilt[partition]?.seq ?? 0));
