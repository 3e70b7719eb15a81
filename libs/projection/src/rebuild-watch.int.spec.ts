import { MemoryLog, type EventLog } from '@athena/event-log';
import { until } from '@athena/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../tools/stack/servers.mjs';
import { attach } from './checkpoints.js';
import { createDataSource } from './data-source.js';
import { LogWriter } from './log-writer.scenario.js';
import { createPool } from './pool.js';
import { CreatePurses1793491200001, filled, opened, purses } from './purses.scenario.js';
import { RebuildJobs, type KnownProjection, type RebuildKind } from './rebuild-jobs.js';
import { RebuildWatch, type RebuildObserver } from './rebuild-watch.js';
import { ProjectionRunner } from './runner.js';
import { makeTables } from './slot-tables.js';
import { TableModel } from './table-model.js';

const COMMITS = 20;

let postgres: RunningPostgres;
let pool: Pool;
let jobs: RebuildJobs;
let log: MemoryLog;
let writer: LogWriter;
let stops: (() => Promise<void>)[];

beforeAll(async () => {
  postgres = await startPostgres();
  const migrations = [CreatePurses1793491200001];
  const dataSource = await createDataSource({ url: postgres.url, entities: [], migrations });
  await dataSource.destroy();
  pool = createPool(postgres.url);
  jobs = new RebuildJobs(pool);
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
});
beforeEach(async () => {
  stops = [];
  await pool.query(`truncate projection_checkpoints, projection_hosts, projection_rebuilds,
    purses_v1, purse_counts_v1`);
  log = new MemoryLog();
  writer = new LogWriter(log, 'task.0');
  await writer.commit([opened('a')]);
  for (let n = 1; n < COMMITS; n++) await writer.commit([filled('a', 1)]);
});
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
});

/** One commit at a time, and the next one when it may. */
function stepwise(pass: (seq: number) => Promise<void>): Pick<EventLog, 'read'> {
  return {
    async *read(options) {
      for await (const commits of log.read(options)) {
        for (const commit of commits) {
          await pass(commit.seq);
          yield [commit];
        }
      }
    },
  };
}

/** A process that keeps the projection. */
function startProcess(
  process: string,
  read: Pick<EventLog, 'read'> = log,
  observer: RebuildObserver = {},
): { readonly runner: ProjectionRunner; readonly watch: RebuildWatch } {
  const runner = new ProjectionRunner({ pool, feed: log, log, model: new TableModel(purses) });
  void runner.start().catch(() => undefined);
  const watch = new RebuildWatch({ pool, log: read, process, observer });
  watch.host('purse-service', [runner]);
  stops.push(
    () => watch.stop(),
    () => runner.stop(),
  );
  return { runner, watch };
}

const known = async (): Promise<KnownProjection | undefined> => (await jobs.known())[0];
const ask = (id: string, kind: RebuildKind = 'rebuild') =>
  jobs.request(purses, { id, kind, by: 'key:spec' });
const reaches = (state: string): Promise<void> =>
  until(async () => (await known())?.job?.state === state, `the job is ${state}`);
const written = (): Promise<void> =>
  until(async () => (await known())?.position === COMMITS, 'the projection is written');
const rows = async (): Promise<unknown> =>
  (await pool.query('select purse_id, coins::int from purses')).rows;
const WHOLE = [{ purse_id: 'a', coins: COMMITS - 1 }];

describe('a process that keeps a projection', () => {
  it('says so, and in the end that it is gone', async () => {
    const { watch } = startProcess('one');
    await until(async () => (await known())?.state === 'writing', 'it writes');
    const told = { name: 'purses', version: 1, service: 'purse-service', rebuildable: true };
    expect(await known()).toMatchObject({ ...told, previousPosition: null, job: null });
    await watch.stop();
    expect((await known())?.state).toBe('away');
  });

  it('rebuilds it and rolls it back when asked', async () => {
    startProcess('one');
    await written();
    await pool.query('update purses_v1 set coins = 666');
    expect(await ask('r1')).toMatchObject({ state: 'requested', requestedBy: 'key:spec' });
    await reaches('switched');
    expect(await rows()).toEqual(WHOLE);
    expect(await known()).toMatchObject({
      position: COMMITS,
      previousPosition: COMMITS,
      job: { id: 'r1', events: COMMITS, seq: COMMITS, error: null },
    });
    await ask('r2', 'rollback');
    await reaches('rolled_back');
    expect(await rows()).toEqual([{ purse_id: 'a', coins: 666 }]);
    expect((await known())?.previousPosition).toBeNull();
    expect(await ask('r3', 'rollback')).toBe('nothing kept');
  });
});

describe('a rebuild that is asked for', () => {
  it('twice at once is one, by one of two processes', async () => {
    const taken: string[] = [];
    const processes = ['one', 'two'];
    for (const name of processes) startProcess(name, log, { taken: () => void taken.push(name) });
    await written();
    const answers = await Promise.all([ask('r1'), ask('r2')]);
    expect(new Set(answers.map((job) => (job as { id: string }).id)).size).toBe(1);
    await reaches('switched');
    expect(taken).toHaveLength(1);
    expect(await rows()).toEqual(WHOLE);
  });

  it('by a repeated command is not done again', async () => {
    startProcess('one');
    await ask('r1');
    await reaches('switched');
    expect(await ask('r1')).toMatchObject({ id: 'r1', state: 'switched' });
  });

  it('keeps a rollback out while it is under way', async () => {
    await ask('r1');
    expect(await ask('r2', 'rollback')).toBeNull();
  });

  it('is gone on with where its process left it', async () => {
    let free = (): void => undefined;
    const held = new Promise<void>((resolve) => (free = resolve));
    let halfWay = false;
    const slow = stepwise(async (seq) => {
      if (seq <= COMMITS / 2) return;
      halfWay = true;
      await held;
    });
    const first = startProcess('one', slow);
    await written();
    await ask('r1');
    await until(() => halfWay, 'half of it is folded');
    const stopped = first.watch.stop();
    free();
    await stopped;
    expect((await known())?.job?.state).toBe('running');

    const read: number[] = [];
    startProcess(
      'two',
      stepwise(async (seq) => void read.push(seq)),
    );
    await reaches('switched');
    expect(read[0]).toBeGreaterThan(COMMITS / 2);
    expect(await rows()).toEqual(WHOLE);
    expect((await known())?.job?.attempt).toBe(2);
  });

  it('is taken over where its process lost Postgres, and is not ended by both', async () => {
    const failures: string[] = [];
    let backend = 0;
    const cut = stepwise(async (seq) => {
      if (seq !== COMMITS / 2 || backend > 0) return;
      const text = `select pid from pg_locks where locktype = 'advisory'`;
      const { rows: locks } = await pool.query<{ pid: number }>(text);
      expect(locks).toHaveLength(1);
      backend = locks[0]?.pid ?? 0;
      const { rows: done } = await pool.query('select pg_terminate_backend($1) as ok', [backend]);
      expect(done[0].ok).toBe(true);
    });
    // No live writer here: the only lead is the rebuild's.
    const idle = new ProjectionRunner({ pool, feed: log, log, model: new TableModel(purses) });
    const observer: RebuildObserver = {
      interrupted: (_job, { message }) => failures.push(message),
    };
    const watch = new RebuildWatch({ pool, log: cut, process: 'one', observer });
    watch.host('purse-service', [idle]);
    stops.push(() => watch.stop());
    await ask('r1');
    await reaches('switched');
    expect(failures).toHaveLength(1);
    expect(await rows()).toEqual(WHOLE);
  }, 30_000);

  it('brings a writer back that had stopped for what stood in its table', async () => {
    await pool.query(`create function refuse() returns trigger language plpgsql
      as 'begin raise exception ''not here''; end'`);
    await pool.query(`create trigger refuse before insert on purses_v1
      for each row execute function refuse()`);
    const { runner } = startProcess('one');
    startProcess('two');
    await until(() => runner.state === 'failed', 'it has stopped');
    await until(async () => (await known())?.state === 'failed', 'it says so');
    await ask('r1');
    await until(() => runner.state !== 'failed', 'it begins again');
    await until(async () => (await known())?.state === 'writing', 'one of them writes');
    expect(await rows()).toEqual([{ purse_id: 'a', coins: COMMITS - 1 }]);
    await pool.query('drop function refuse cascade');
  });

  it('fails where the log is broken, and leaves nothing behind but what it says', async () => {
    const broken: Pick<EventLog, 'read'> = {
      read: () => ({
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.reject(new Error('a commit that can’t be folded')),
        }),
      }),
    };
    startProcess('one', broken);
    await written();
    await ask('r1');
    await reaches('failed');
    expect((await known())?.job?.error).toBe('a commit that can’t be folded');
    expect(await rows()).toEqual(WHOLE);
    const { rows: left } = await pool.query(`select to_regclass('purses_v1_rebuild') as name`);
    expect(left).toEqual([{ name: null }]);
  });

  it('begins anew, not where one that had failed left off', async () => {
    const client = await pool.connect();
    await makeTables(client, purses, 'rebuild');
    await attach(client, { name: 'purses', version: 1, slot: 'rebuild' });
    await client.query(`update projection_checkpoints set seq = 5 where slot = 'rebuild'`);
    client.release();
    startProcess('one');
    await ask('r1');
    await reaches('switched');
    expect(await rows()).toEqual(WHOLE);
  });
});
