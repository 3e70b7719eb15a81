import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '@athena/testing';
import { NatsBroker, type EmptyLog } from '@athena/testing/broker';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../tools/stack/servers.mjs';
import { createDataSource } from './data-source.js';
import { LEADER_STALL_MS } from './leader-watch.js';
import { LogWriter } from './log-writer.scenario.js';
import { createPool } from './pool.js';
import { CreatePurses1793491200001, filled, opened, purses } from './purses.scenario.js';
import { ProjectionRunner } from './runner.js';
import { TableModel } from './table-model.js';

const LOADER = fileURLToPath(new URL('../../testing/src/run-from-source.mjs', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./purses-writer.scenario.ts', import.meta.url));
const PATIENCE_MS = LEADER_STALL_MS + 15_000;

let dir: string;
let postgres: RunningPostgres;
let pool: Pool;
let broker: NatsBroker;
let empty: EmptyLog;
let other: ChildProcess;
let runner: ProjectionRunner;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'athena-frozen-'));
  [postgres, broker] = await Promise.all([startPostgres({ dir }), NatsBroker.start()]);
  const migrations = [CreatePurses1793491200001];
  const dataSource = await createDataSource({ url: postgres.url, entities: [], migrations });
  await dataSource.destroy();
  pool = createPool(postgres.url);
  empty = await broker.emptyLog();
}, 30_000);
afterAll(async () => {
  other?.kill('SIGKILL');
  await runner?.stop();
  await pool?.end();
  await empty?.end();
  await Promise.all([broker?.stop(), postgres?.stop()]);
  await rm(dir, { recursive: true, force: true });
});

function startOther(): string[] {
  const { user, pass } = broker.login;
  const flags = ['--conditions=@athena/source', '--disable-warning=ExperimentalWarning'];
  other = spawn(process.execPath, [...flags, '--import', LOADER, PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'],
      PURSES_NATS: broker.url,
      PURSES_USER: user,
      PURSES_PASSWORD: pass,
      PURSES_DATABASE: postgres.url,
    },
  });
  const news: string[] = [];
  createInterface({ input: other.stdout as NodeJS.ReadableStream }).on('line', (line) =>
    news.push(line),
  );
  return news;
}

const coins = async (): Promise<number | undefined> => {
  const { rows } = await pool.query<{ coins: number }>('select coins::int from purses');
  return rows[0]?.coins;
};

it('a writer that stands still is replaced, and goes on as a standby when it wakes', async () => {
  const tasks = new LogWriter(empty.log, 'task.0');
  await tasks.commit([opened('a'), filled('a', 1)]);
  const news = startOther();
  await until(
    async () => (await coins()) === 1,
    () => `written by ${news.join()}`,
    PATIENCE_MS,
  );
  const stalled: number[] = [];
  const { log } = empty;
  runner = new ProjectionRunner({
    ...{ pool, log, feed: log, model: new TableModel(purses) },
    observer: { leaderStalled: ({ ms }) => stalled.push(ms) },
  });
  void runner.start().catch(() => undefined);

  // One that is merely idle keeps the lead.
  await new Promise((resolve) => setTimeout(resolve, LEADER_STALL_MS + 1_000));
  await tasks.commit([filled('a', 10)]);
  await until(async () => (await coins()) === 11);
  expect([stalled, runner.state]).toEqual([[], 'standby']);

  other.kill('SIGSTOP');
  await runner.waitFor(await tasks.commit([filled('a', 100)]), PATIENCE_MS);
  expect(await coins()).toBe(111);
  expect([stalled.length, runner.state]).toEqual([1, 'writing']);

  other.kill('SIGCONT');
  await until(() => news.includes('retrying'), 'the frozen one noticing', PATIENCE_MS);
  await runner.waitFor(await tasks.commit([filled('a', 1_000)]), PATIENCE_MS);
  expect(await coins()).toBe(1_111);
  await runner.stop();
  await tasks.commit([filled('a', 10_000)]);
  await until(async () => (await coins()) === 11_111, 'the woken one writing', PATIENCE_MS);
}, 60_000);
