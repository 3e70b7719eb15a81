import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BulkStatus, TimelineEvent } from '@athena/contracts';
import { LocalStack, until } from '@athena/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Pool } from 'pg';
import { AthenaProcess, athena } from '../scenarios/athena.scenario.js';

const TASKS = 1_000;

let stack: LocalStack;
let cwd: string;
let pool: Pool;

beforeAll(async () => {
  stack = await LocalStack.start();
  cwd = await mkdtemp(join(tmpdir(), 'athena-bulk-'));
  pool = new Pool({ connectionString: stack.postgres.url });
  // A connection that the stack's end cuts is nobody's concern.
  pool.on('error', () => undefined);
}, 60_000);
afterAll(async () => {
  await pool?.end();
  await stack?.stop();
  await rm(cwd, { recursive: true, force: true });
});

const options = () => ({ cwd, env: { ATHENA_URL: stack.url, ATHENA_API_KEY: stack.apiKey } });
const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> =>
  (await (await stack.request(method, path, body)).json()) as T;

async function create(n: number, taskType: string): Promise<readonly string[]> {
  const tasks = Array.from({ length: n }, () => ({ content: 1, taskType, autoRoute: false }));
  return (await ask<{ taskIds: string[] }>('POST', '/v1/tasks/batch', { tasks })).taskIds;
}

const job = async (): Promise<{ done: number; state: string } | undefined> =>
  (await pool.query<{ done: number; state: string }>('select done, state from bulk_jobs')).rows[0];

/** Every event that the bulk operation caused. */
async function causedBy(bulkId: string): Promise<TimelineEvent[]> {
  const events: TimelineEvent[] = [];
  for (let after = ''; ;) {
    const path = `/v1/events?correlation=${bulkId}&limit=1000${after && `&after=${after}`}`;
    const page = await ask<{ events: TimelineEvent[]; nextAfter: string }>('GET', path);
    events.push(...page.events);
    if (page.events.length === 0) return events;
    after = page.nextAfter;
  }
}

describe('athena task bulk', () => {
  it('goes on through a kill of the platform, and changes each task once', async () => {
    const taskIds = await create(TASKS, 'doomed');
    await create(3, 'spared');
    const filter = ['--filter', '{"taskType":"doomed"}'];
    const bulk = ['task', 'bulk', '--action', 'cancel', ...filter];
    const dry = await athena([...bulk, '--dry-run', '--json'], options());
    expect(JSON.parse(dry.stdout)).toMatchObject({ bulkId: null, matched: TASKS });

    const running = new AthenaProcess([...bulk, '--json'], options());
    await running.says('cancel: 0 of 1000');
    await until(async () => ((await job())?.done ?? 0) > 0, 'some are done');
    await stack.killApp();
    const { done, state } = (await job()) ?? {};
    expect([done, state]).toEqual([expect.any(Number), 'running']);
    expect(done).toBeLessThan(TASKS);
    await stack.startApp();

    const { status, stdout } = await running.ended;
    const told = JSON.parse(stdout) as BulkStatus;
    expect([status, told]).toEqual([
      0,
      expect.objectContaining({ state: 'done', done: TASKS, changed: TASKS, refused: {} }),
    ]);
    let events: TimelineEvent[] = [];
    await until(async () => {
      events = await causedBy(told.bulkId);
      return events.length >= TASKS;
    }, 'all events are archived');
    expect(events.map(({ aggregateId }) => aggregateId).sort()).toEqual([...taskIds].sort());
    expect(new Set(events.map(({ type, actor }) => `${type} ${actor}`))).toEqual(
      new Set([`TaskCancelled ${told.by}`]),
    );
    const { tasks } = await ask<{ tasks: unknown[] }>('GET', '/v1/tasks?status=pending');
    expect(tasks).toHaveLength(3);
  }, 150_000);
});
