import { until } from '@athena/testing';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrokenChain, MemoryLog, type LoggedEvent } from '@athena/event-log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../tools/stack/servers.mjs';
import { CheckpointMismatch } from './chain.js';
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
import { ProjectionRunner, type ProjectionObserver } from './runner.js';
import { TableModel } from './table-model.js';

const PATIENCE_MS = 8_000;

let dir: string;
let postgres: RunningPostgres;
let pool: Pool;
let log: MemoryLog;
let tasks: LogWriter;
let agents: LogWriter;
let runners: ProjectionRunner[];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'athena-projection-'));
  postgres = await startPostgres({ dir });
  const migrations = [CreatePurses1793491200001];
  const dataSource = await createDataSource({ url: postgres.url, entities: [], migrations });
  await dataSource.destroy();
  pool = createPool(postgres.url);
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await pool.query('truncate projection_checkpoints, purses_v1, purse_counts_v1');
  log = new MemoryLog();
  tasks = new LogWriter(log, 'task.0');
  agents = new LogWriter(log, 'agent.0');
  runners = [];
});
afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.stop()));
});

function runnerOn(observer: ProjectionObserver = {}, model = new TableModel(purses)) {
  const runner = new ProjectionRunner({ pool, feed: log, log, model, observer });
  runners.push(runner);
  return runner;
}

const running = (observer?: ProjectionObserver, model?: TableModel): ProjectionRunner => {
  const runner = runnerOn(observer, model);
  void runner.start().catch(() => undefined);
  return runner;
};

const coins = async (): Promise<Record<string, number>> => {
  const { rows } = await pool.query<{ purse_id: string; coins: number }>(
    'select purse_id, coins::int from purses order by purse_id',
  );
  return Object.fromEntries(rows.map(({ purse_id, coins }) => [purse_id, coins]));
};

describe('a running projection', () => {
  it('shows what the log holds, and what is added', async () => {
    await tasks.commit([opened('a'), filled('a', 3)]);
    const runner = running();
    await runner.waitFor(1, PATIENCE_MS);
    expect(await coins()).toEqual({ a: 3 });

    const seq = await tasks.commit([filled('a', 4), opened('b')]);
    await runner.waitFor(seq, PATIENCE_MS);
    expect(await coins()).toEqual({ a: 7, b: 0 });
    expect(runner.lag).toEqual({ events: 0, seconds: 0 });
  });

  it('writes a row once that was opened, filled and annotated in one batch', async () => {
    await tasks.commit([opened('a'), filled('a', 3)]);
    await tasks.commit([filled('a', 4), annotated('a', { why: 'rent' })]);
    const written: { events: number; rows: number }[] = [];
    await running({ written: (event) => written.push(event) }).waitFor(2, PATIENCE_MS);
    expect(written).toMatchObject([{ commits: 2, events: 4, rows: 1, seq: 2 }]);
    const { rows } = await pool.query('select coins::int, note from purses');
    expect(rows).toEqual([{ coins: 7, note: { why: 'rent' } }]);
  });

  it('writes nothing for what came and went inside one batch, and removes what stood', async () => {
    await tasks.commit([opened('a'), opened('b'), thrownAway('b')]);
    const written: number[] = [];
    const runner = running({ written: ({ rows }) => written.push(rows) });
    await runner.waitFor(1, PATIENCE_MS);
    expect(written).toEqual([1]);
    await runner.waitFor(await tasks.commit([thrownAway('a')]), PATIENCE_MS);
    expect(await coins()).toEqual({});
  });

  it('looks rows up that were written before it started', async () => {
    await tasks.commit([opened('a', { owners: ['x"y', 'z\\'] }), filled('a', 1)]);
    const first = running();
    await first.waitFor(1, PATIENCE_MS);
    await first.stop();
    const before = await pool.query('select owners, opened_at from purses');

    const seq = await tasks.commit([filled('a', 2)]);
    await running().waitFor(seq, PATIENCE_MS);
    expect(await coins()).toEqual({ a: 3 });
    expect((await pool.query('select owners, opened_at from purses')).rows).toEqual(before.rows);
  });

  it('reaches positions that hold nothing for it, and stores that it did', async () => {
    const runner = running();
    await tasks.commit([opened('a')]);
    const seq = await agents.commit([filled('a', 99)]);
    await runner.waitFor(seq, PATIENCE_MS);
    expect(await coins()).toEqual({ a: 0 });
    const standby = running();
    await standby.waitFor(seq, PATIENCE_MS);
  });

  it('says so when a position is not reached in time', async () => {
    const runner = running();
    await expect(runner.waitFor(5, 50)).rejects.toMatchObject({
      refusal: { code: 'NOT_CAUGHT_UP', retryable: true },
    });
  });

  it('takes hostile values as they are', async () => {
    const note = {
      nul: '\u0000',
      lone: '\ud800',
      quotes: `"'\\{}`,
      proto: JSON.parse('{"__proto__":1}'),
    };
    await tasks.commit([opened('a\u0000b', { owners: ['{"', ''] }), annotated('a\u0000b', note)]);
    await running().waitFor(1, PATIENCE_MS);
    const { rows } = await pool.query('select purse_id, owners, note::text from purses');
    expect(rows).toEqual([
      { purse_id: 'a\ufffdb', owners: ['{"', ''], note: JSON.stringify(note) },
    ]);
  });
});

describe('interruptions', () => {
  const many = (from: number, count: number): LoggedEvent[] =>
    Array.from({ length: count }, (_, n) => filled('a', from + n));

  it('resumes exactly after a crash between and inside batches', async () => {
    await tasks.commit([opened('a')]);
    for (let n = 0; n < 20; n++) await tasks.commit(many(n, 5));
    const crash = new TableModel(purses);
    const write = crash.write.bind(crash);
    let batches = 0;
    crash.write = async (client, commits) => {
      const rows = await write(client, commits);
      if (++batches === 2) throw new Error('crashed inside the transaction');
      return rows;
    };
    const first = runnerOn({}, crash);
    const end = expect(first.start()).rejects.toThrow('crashed inside the transaction');
    await first.waitFor(21, PATIENCE_MS);
    const more = await tasks.commit([filled('a', 1_000)]);
    await end;
    expect(first.state).toBe('failed');

    await running().waitFor(more, PATIENCE_MS);
    const total = Array.from({ length: 20 }, (_, n) => 5 * n + 10).reduce((a, b) => a + b, 1_000);
    expect(await coins()).toEqual({ a: total });
  });

  it('outlives a Postgres that is killed and comes back, without losing or doubling', async () => {
    await tasks.commit([opened('a'), filled('a', 1)]);
    const retries: Error[] = [];
    const runner = running({ retrying: (error) => retries.push(error) });
    await runner.waitFor(1, PATIENCE_MS);

    const { port } = postgres;
    await postgres.kill();
    for (let n = 0; n < 10; n++) await tasks.commit([filled('a', 1)]);
    await until(() => retries.length > 1);
    expect(runner.lag.events).toBeLessThanOrEqual(10);
    postgres = await startPostgres({ dir, port });

    await runner.waitFor(11, PATIENCE_MS);
    expect(await coins()).toEqual({ a: 11 });
  });

  it('lets one of two write; the other takes over when it stops', async () => {
    const attached: string[] = [];
    const first = running({ attached: () => attached.push('first') });
    await until(() => first.state === 'writing');
    const second = running({ attached: () => attached.push('second') });
    const seq = await tasks.commit([opened('a'), filled('a', 1)]);
    await second.waitFor(seq, PATIENCE_MS);
    expect(attached).toEqual(['first']);

    await first.stop();
    await second.waitFor(await tasks.commit([filled('a', 1)]), PATIENCE_MS);
    expect(attached).toEqual(['first', 'second']);
    expect(await coins()).toEqual({ a: 2 });
  });

  it('is fenced by whoever attaches after it, and then starts again from what stands', async () => {
    await tasks.commit([opened('a')]);
    const retries: string[] = [];
    const runner = running({ retrying: (error) => retries.push(error.name) });
    await runner.waitFor(1, PATIENCE_MS);
    await pool.query('update projection_checkpoints set epoch = epoch + 1');
    await pool.query('update purses_v1 set coins = 100');

    const seq = await tasks.commit([filled('a', 1)]);
    await until(async () => (await coins())['a'] === 101);
    expect(retries).toEqual(['Fenced']);
    await runner.waitFor(seq, PATIENCE_MS);
  });
});

describe('a log that is not what it was', () => {
  it('stops loudly where the log no longer holds what the checkpoint rests on', async () => {
    await tasks.commit([opened('a')]);
    await tasks.commit([filled('a', 1)]);
    const first = running();
    await first.waitFor(2, PATIENCE_MS);
    await first.stop();

    log.loseTail(1);
    await expect(runnerOn().start()).rejects.toThrow(CheckpointMismatch);
    const other = new LogWriter({ append: (s, p) => log.append(s, p, 1) }, 'task.0');
    await other.commit([filled('a', 2)]);
    await expect(runnerOn().start()).rejects.toThrow('rebuild the projection');
    expect(await coins()).toEqual({ a: 1 });
  });

  it('stops loudly where the chain breaks, with nothing of the batch written', async () => {
    await tasks.commit([opened('a')]);
    const stopped: Error[] = [];
    const runner = runnerOn({ stopped: (error) => stopped.push(error) });
    const end = expect(runner.start()).rejects.toThrow(BrokenChain);
    await runner.waitFor(1, PATIENCE_MS);
    const intruder = new LogWriter({ append: (s, p) => log.append(s, p, 1) }, 'task.0');
    await intruder.commit([filled('a', 1)]);
    await end;
    expect(stopped).toHaveLength(1);
    expect(await coins()).toEqual({ a: 0 });
  });

  it('stops loudly at an event that its fold can’t take', async () => {
    await tasks.commit([opened('a'), filled('a', 'many' as unknown as number)]);
    await expect(runnerOn().start()).rejects.toThrow('int8');
  });
});
