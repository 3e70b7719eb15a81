import { MemoryLog, type LoggedEvent } from '@athena/event-log';
import { until } from '@athena/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../tools/stack/servers.mjs';
import { readPosition } from './checkpoints.js';
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
import { NoWayBack, leadingRebuild, rebuild, rollBack, type Rebuilt } from './rebuild.js';
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

async function rebuilt(log: MemoryLog): Promise<Rebuilt> {
  const done = await leadingRebuild(pool, purses, (client) =>
    rebuild(client, { log, projection: purses }),
  );
  if (!done) throw new Error('somebody else rebuilds it');
  return done;
}
const rolledBack = (log: MemoryLog): Promise<Rebuilt | null> =>
  leadingRebuild(pool, purses, (client) => rollBack(client, { log, projection: purses }));

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
      await rebuilt(log);
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

    expect(await rebuilt(log)).toEqual({ seq: 1, events: 2 });
    await runner.waitFor(await writer.commit([filled('a', 1)]), PATIENCE_MS);
    const { rows } = await pool.query('select coins::int from purses');
    expect(rows).toEqual([{ coins: 2 }]);
    await runner.stop();
  });

  it('does not set the position back behind what others have written since', async () => {
    const log = new MemoryLog();
    await new LogWriter(log, 'task.0').commit([opened('a')]);
    const last = await new LogWriter(log, 'agent.0').commit([opened('b')]);
    const runner = runnerOn(log);
    const live = { name: 'purses', version: 1, slot: 'live' } as const;
    await until(async () => (await readPosition(pool, live)) === last, 'the position is stored');
    await runner.stop();
    expect((await rebuilt(log)).seq).toBeLessThan(last);
    expect(await readPosition(pool, live)).toBe(last);
  });

  it('keeps the names of indexes, and what was live before as the previous table, once', async () => {
    const log = new MemoryLog();
    const runner = runnerOn(log);
    await runner.waitFor(0, PATIENCE_MS);
    await until(async () => runner.state === 'writing', 'the live writer writes');
    await rebuilt(log);
    await rebuilt(log);
    await runner.stop();
    const names = ['purse_counts_v1', 'purses_v1'];
    const tables = await pool.query<{
      tablename: string;
    }>(`select tablename from pg_tables where tablename ~ 'purse'
      order by 1`);
    expect(tables.rows.map(({ tablename }) => tablename)).toEqual(
      names.flatMap((name) => [name, `${name}_previous`]),
    );
    const indexes = await pool.query<{ indexname: string }>(`select indexname from pg_indexes
      where tablename in ('purses_v1', 'purses_v1_previous') order by 1`);
    expect(indexes.rows.map(({ indexname }) => indexname)).toEqual([
      'purses_v1_by_project',
      'purses_v1_by_project_previous',
      'purses_v1_pkey',
      'purses_v1_pkey_previous',
    ]);
    const slots = await pool.query('select slot from projection_checkpoints order by 1');
    expect(slots.rows).toEqual([{ slot: 'live' }, { slot: 'previous' }]);
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
    const { seq } = await rebuilt(log);
    busy = false;
    const last = await load;
    expect(seq).toBeGreaterThan(0);
    await waitForCoins(last - 1);
    await runner.stop();
  });
});

describe('a rollback', () => {
  it('puts the table back that was live, caught up with all that happened since', async () => {
    const log = new MemoryLog();
    const writer = new LogWriter(log, 'task.0');
    const runner = runnerOn(log);
    await runner.waitFor(await writer.commit([opened('a'), filled('a', 600)]), PATIENCE_MS);
    // A mark by which the former table is known.
    await pool.query("update purses_v1 set owners = '{mark}'");
    await rebuilt(log);
    await runner.waitFor(await writer.commit([opened('b'), filled('a', 1)]), PATIENCE_MS);
    const { rows: live } = await pool.query('select 1 from purses where owners <> $1', [['mark']]);
    expect(live).toHaveLength(2);

    expect(await rolledBack(log)).toEqual({ seq: 2, events: 2 });
    const text = 'select purse_id, coins::int, owners from purses order by 1';
    const a = { purse_id: 'a', coins: 601, owners: ['mark'] };
    expect((await pool.query(text)).rows).toEqual([a, { purse_id: 'b', coins: 0, owners: [] }]);
    await runner.waitFor(await writer.commit([filled('a', 1)]), PATIENCE_MS);
    expect((await pool.query(text)).rows[0]).toEqual({ ...a, coins: 602 });
    await runner.stop();
    expect(await rowsOf(COUNTS)).toEqual(await rowsOf(COUNTED));
    await expect(rolledBack(log)).rejects.toThrow(NoWayBack);
  });

  it('does not take a table of another form', async () => {
    const log = new MemoryLog();
    await new LogWriter(log, 'task.0').commit([opened('a')]);
    const runner = runnerOn(log);
    await runner.waitFor(1, PATIENCE_MS);
    await rebuilt(log);
    await runner.stop();
    await pool.query('alter table purses_v1_previous drop column note');
    await expect(rolledBack(log)).rejects.toThrow('has other columns');
    expect(await rowsOf('purses')).toHaveLength(1);
  });
});

describe('a rebuild beside a newer version', () => {
  it('leaves the newer version’s view alone', async () => {
    await pool.query('create table purses_v2 (n int); drop view purses;');
    await pool.query('create view purses as select * from purses_v2');
    try {
      await rebuilt(new MemoryLog());
      expect((await pool.query('select n from purses')).rows).toEqual([]);
    } finally {
      await pool.query('drop table purses_v2 cascade');
      await pool.query('create view purses as select * from purses_v1');
    }
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
