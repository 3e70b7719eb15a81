import { MemoryLog, type LoggedEvent } from '@athena/event-log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../tools/stack/servers.mjs';
import { createDataSource } from './data-source.js';
import { LogWriter } from './log-writer.scenario.js';
import { createPool } from './pool.js';
import {
  CreatePurses1793491200001,
  annotated,
  filled,
  opened,
  purses,
  thrownAway,
} from './purses.scenario.js';
import { rebuild } from './rebuild.js';
import { ProjectionRunner } from './runner.js';
import { TableModel } from './table-model.js';

const PATIENCE_MS = 8_000;
const HISTORIES = 15;

let postgres: RunningPostgres;
let pool: Pool;

beforeAll(async () => {
  postgres = await startPostgres();
  const migrations = [CreatePurses1793491200001];
  const dataSource = await createDataSource({ url: postgres.url, entities: [], migrations });
  await dataSource.destroy();
  pool = createPool(postgres.url);
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
});
beforeEach(() => reset());

const reset = (): Promise<unknown> =>
  pool.query('truncate projection_checkpoints, purses_v1, purse_counts_v1');

const runnerOn = (log: MemoryLog): ProjectionRunner => {
  const model = new TableModel(purses);
  const runner = new ProjectionRunner({ pool, feed: log, log, model });
  void runner.start().catch(() => undefined);
  return runner;
};

/** Every row as its text: nothing of a row escapes the comparison. */
const rowsOf = async (view: string): Promise<string[]> => {
  const text = `select t::text as row from ${view} t order by 1`;
  const { rows } = await pool.query<{ row: string }>(text);
  return rows.map(({ row }) => row);
};

const COUNTS = '(select * from purse_counts_v1 where n <> 0)';
/** What the counts must say. */
const COUNTED = `(select project, case when coins > 500 then 'rich' else 'poor' end, count(*)
  from purses group by 1, 2)`;

const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const events: fc.Arbitrary<LoggedEvent> = fc.oneof(
  fc
    .tuple(ids, fc.array(fc.string(), { maxLength: 3 }))
    .map(([id, owners]) => opened(id, { owners })),
  fc.tuple(ids, fc.nat(1_000)).map(([id, coins]) => filled(id, coins)),
  fc.tuple(ids, fc.jsonValue()).map(([id, note]) => annotated(id, { note })),
  ids.map((id) => thrownAway(id)),
);
const histories = fc.array(fc.array(events, { minLength: 1, maxLength: 12 }), { maxLength: 12 });

/** A purse is opened once at a time, as an owner of the log would see to. */
function plausible(history: readonly (readonly LoggedEvent[])[]): LoggedEvent[][] {
  const open = new Set<string>();
  return history
    .map((commit) =>
      commit.filter(({ type, id }) => {
        if (type === 'PurseThrownAway') return open.delete(id);
        if (type !== 'PurseOpened') return open.has(id);
        return !open.has(id) && open.add(id) !== undefined;
      }),
    )
    .filter((commit) => commit.length > 0);
}

describe('a rebuild', () => {
  it('from zero equals what stands, row by row, for any history and any interruption', async () => {
    const property = fc.asyncProperty(histories, fc.nat(12), async (history, stopAfter) => {
      await reset();
      const log = new MemoryLog();
      const writer = new LogWriter(log, 'task.0');
      let runner = runnerOn(log);
      let seq = 0;
      for (const [n, commit] of plausible(history).entries()) {
        seq = await writer.commit(commit, 1_767_225_600_000 + n);
        if (n === stopAfter) {
          await runner.stop();
          runner = runnerOn(log);
        }
        if (n % 3 === 0) await runner.waitFor(seq, PATIENCE_MS);
      }
      await runner.waitFor(seq, PATIENCE_MS);
      await runner.stop();
      const live = await rowsOf('purses');
      const counts = await rowsOf(COUNTS);
      expect(counts).toEqual(await rowsOf(COUNTED));
      await rebuild({ pool, log, projection: purses });
      expect(await rowsOf('purses')).toEqual(live);
      expect(await rowsOf(COUNTS)).toEqual(counts);
    });
    await fc.assert(property, { numRuns: HISTORIES });
  });

  it('mends a table that was tampered with, and the view and the writer go on', async () => {
    const log = new MemoryLog();
    const writer = new LogWriter(log, 'task.0');
    await writer.commit([opened('a'), filled('a', 1)]);
    const runner = runnerOn(log);
    await runner.waitFor(1, PATIENCE_MS);
    await pool.query('update purses_v1 set coins = 666');

    expect(await rebuild({ pool, log, projection: purses })).toEqual({ seq: 1, events: 2 });
    await runner.waitFor(await writer.commit([filled('a', 1)]), PATIENCE_MS);
    const { rows } = await pool.query('select coins::int from purses');
    expect(rows).toEqual([{ coins: 2 }]);
    await runner.stop();
  });

  it('keeps the indexes, and leaves nothing of itself behind', async () => {
    await rebuild({ pool, log: new MemoryLog(), projection: purses });
    const tables = await pool.query(`select tablename from pg_tables where tablename ~ 'purse'
      order by 1`);
    expect(tables.rows).toEqual([{ tablename: 'purse_counts_v1' }, { tablename: 'purses_v1' }]);
    const indexes = await pool.query(`select 1 from pg_indexes where tablename = 'purses_v1'`);
    expect(indexes.rowCount).toBe(2);
    const slots = await pool.query('select slot from projection_checkpoints');
    expect(slots.rows).toEqual([{ slot: 'live' }]);
  });

  it('under load catches up with the live writer before it takes the place', async () => {
    const log = new MemoryLog();
    const writer = new LogWriter(log, 'task.0');
    await writer.commit([opened('a')]);
    const runner = runnerOn(log);
    let busy = true;
    const load = (async () => {
      let seq = 0;
      while (busy) seq = await writer.commit([filled('a', 1)]).then(pause);
      return seq;
    })();
    const { seq } = await rebuild({ pool, log, projection: purses });
    busy = false;
    const last = await load;
    expect(seq).toBeGreaterThan(0);
    await waitForCoins(last - 1);
    await runner.stop();
  });
});

const pause = (seq: number): Promise<number> =>
  new Promise((resolve) => setTimeout(() => resolve(seq), 1));

async function waitForCoins(coins: number): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const { rows } = await pool.query('select coins::int from purses');
    if (rows[0]?.coins === coins) return;
    if (Date.now() > end) throw new Error(`expected ${coins} coins, found ${rows[0]?.coins}`);
    await pause(0);
  }
}
