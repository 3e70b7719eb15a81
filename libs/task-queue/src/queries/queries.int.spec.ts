import {
  createTask,
  queryTasks as queryOperation,
  queueMetrics as metricsOperation,
} from '@athena/contracts';
import { MemoryLog, Partition } from '@athena/event-log';
import { newAggregateId, type Input, type RawInput } from '@athena/operation';
import {
  ProjectionRunner,
  TableModel,
  createDataSource,
  createPool,
  entityOf,
  leadingRebuild,
  rebuild,
} from '@athena/projection';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../../tools/stack/servers.mjs';
import { taskDecider } from '../domain/decider.js';
import { finishedOf } from '../domain/record.js';
import type { Task, TaskState } from '../domain/state.js';
import { taskQueueMigrations } from '../schema.js';
import { tasks } from '../projections/tasks.js';
import { findTasks } from './find-tasks.js';
import { queryTasks } from './query-tasks.js';
import { queueMetrics } from './queue-metrics.js';

const PATIENCE_MS = 8_000;

let postgres: RunningPostgres;
let pool: Pool;
let log: MemoryLog;
let partition: Partition<TaskState>;
let runner: ProjectionRunner;
let clock: number;
let ids = 0;

beforeAll(async () => {
  postgres = await startPostgres();
  const migrations = taskQueueMigrations;
  const source = await createDataSource({
    url: postgres.url,
    entities: [entityOf(tasks)],
    migrations,
  });
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  const differences = upQueries
    .map(({ query }) => query)
    .filter((q) => !q.startsWith('DROP INDEX'));
  expect(differences).toEqual([]);
  await source.destroy();
  pool = createPool(postgres.url);
  log = new MemoryLog();
  clock = Date.parse('2026-01-01T00:00:00Z');
  const decider = taskDecider({ partition: 0 });
  const time = { now: () => clock };
  partition = await Partition.open({ name: 'task.0', log, decider, owner: 'spec', clock: time });
  runner = new ProjectionRunner({ pool, feed: log, log, model: new TableModel(tasks) });
  void runner.start();
  await ask('task.openRouter', { partition: 0, router: 'r' });
});
afterAll(async () => {
  await runner?.stop();
  await partition?.close();
  await pool?.end();
  await postgres?.stop();
});

async function ask(
  op: string,
  input: unknown,
  project = 'default',
  id = `c${++ids}`,
): Promise<number> {
  const answer = await partition.ask({ op, id, project, actor: 'key:spec', input });
  if ('refusal' in answer) throw new Error(answer.refusal.detail);
  return answer.seq;
}

/** Creates a task and lets the clock tick, so that the order of pages is that of creation. */
async function create(fields: Partial<RawInput<typeof createTask>> = {}, project = 'default') {
  const taskId = newAggregateId(clock, 0, Buffer.from(String(++ids).padStart(8, '0')));
  const input = createTask.input.parse({ content: 'work', taskType: 'demo', ...fields });
  await ask('task.create', input, project, taskId);
  clock += 10;
  return taskId;
}

async function assign(taskId: string, agentId: string, project = 'default'): Promise<number> {
  const decision = {
    policy: 'base@1',
    reason: 'spec',
    candidates: [],
    considered: 1,
    registrySeq: 0,
    probability: 1,
  };
  const placements = [{ taskId, agentId, kind: agentId, session: 1, decision }];
  return ask('task.place', { partition: 0, routerEpoch: 1, placements }, project);
}

const caughtUp = async (): Promise<void> => runner.waitFor(await log.endSeq(), PATIENCE_MS);

const search = (fields: Record<string, unknown> = {}): Input<typeof queryOperation> =>
  queryOperation.input.parse(fields);

const idsOf = async (fields: Record<string, unknown>, project = 'default'): Promise<string[]> =>
  (await queryTasks(pool, project, search(fields))).tasks.map(({ taskId }) => taskId);

describe('task.query', () => {
  it('pages through the project’s tasks, newest first, each once', async () => {
    const created: string[] = [];
    for (let n = 0; n < 7; n++) created.push(await create({ batchId: 'pages' }));
    await create({}, 'other');
    await caughtUp();
    const found: string[] = [];
    let cursor: string | undefined;
    do {
      const fields = { batchId: 'pages', limit: 3, ...(cursor && { cursor }) };
      const page = await queryTasks(pool, 'default', search(fields));
      expect(page.tasks.length).toBeLessThanOrEqual(3);
      found.push(...page.tasks.map(({ taskId }) => taskId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(found).toEqual(created.reverse());
  });

  it('finds the dead letters, until they are redriven', async () => {
    const [dead, refused] = [await create({ maxAttempts: 1 }), await create()];
    const error = { message: 'boom' };
    for (const taskId of [dead, refused]) {
      await assign(taskId, 'ada');
      await ask('task.fail', { taskId, error, shouldRetry: taskId === dead });
    }
    await caughtUp();
    expect(await idsOf({ deadLettered: true })).toEqual([dead]);
    expect(await idsOf({ status: 'failed', deadLettered: false })).toEqual([refused]);
    const plans = (await pool.query(`begin; set local enable_seqscan = off;
      explain select task_id from tasks where project = 'default' and dead_lettered = true
      order by created_at desc, task_id desc; rollback`)) as unknown as { rows: object[] }[];
    expect(JSON.stringify(plans[2]?.rows)).toContain('tasks_v2_dead');
    await ask('task.redrive', { taskId: dead });
    await caughtUp();
    expect(await idsOf({ deadLettered: true })).toEqual([]);
  });

  it('separates tasks of one instant by their id', async () => {
    const at = clock;
    const created: string[] = [];
    for (let n = 0; n < 4; n++) {
      created.push(await create({ batchId: 'instant' }));
      clock = at;
    }
    clock = at + 1_000;
    await caughtUp();
    const first = await queryTasks(pool, 'default', search({ batchId: 'instant', limit: 2 }));
    const rest = search({ batchId: 'instant', limit: 2, cursor: first.nextCursor });
    const second = await queryTasks(pool, 'default', rest);
    const found = [...first.tasks, ...second.tasks].map(({ taskId }) => taskId);
    expect(found).toEqual([...created].sort().reverse());
    expect(second.nextCursor).toBeNull();
  });

  it('finds by every filter, and nothing of another project', async () => {
    const before = new Date(clock).toISOString();
    clock += 10;
    const a = await create({ taskType: 'paint', priority: 'high', batchId: 'b-1' });
    const b = await create({ taskType: 'paint', priority: 'low' });
    const c = await create({ taskType: 'cook' });
    const after = new Date(clock).toISOString();
    await create({ taskType: 'paint' }, 'other');
    await assign(b, 'ada');
    await caughtUp();
    const since = { createdAfter: before };
    expect(await idsOf({ taskType: 'paint', ...since })).toEqual([b, a]);
    expect(await idsOf({ priority: 'high', ...since })).toEqual([a]);
    expect(await idsOf({ batchId: 'b-1', ...since })).toEqual([a]);
    expect(await idsOf({ status: 'assigned', ...since })).toEqual([b]);
    expect(await idsOf({ agentId: 'ada', ...since })).toEqual([b]);
    expect(await idsOf({ agentId: 'nobody' })).toEqual([]);
    expect(await idsOf({ ...since, createdBefore: after })).toEqual([c, b, a]);
    expect(await idsOf({ createdBefore: '0000-01-01T00:00:00Z' })).toEqual([]);
    expect(await idsOf({ taskType: 'paint' }, 'nowhere')).toEqual([]);
  });

  it('answers with the same record as the partition', async () => {
    const taskId = await create({ content: { deep: [1, '\u0000', null] }, metadata: { x: 1 } });
    await caughtUp();
    const command = { op: 'task.get', id: 'g', project: 'default', actor: 'key:spec' };
    const answer = await partition.ask({ ...command, input: { taskId } });
    const [record] = (await queryTasks(pool, 'default', search({ limit: 1 }))).tasks;
    expect(record).toEqual((answer as { ok: unknown }).ok);
    expect(queryOperation.output.parse({ tasks: [record], nextCursor: null })).toBeDefined();
  });

  it('refuses cursors that are not its own', async () => {
    for (let n = 0; n < 2; n++) await create({ batchId: 'cursors' });
    await caughtUp();
    const fields = { batchId: 'cursors', limit: 1 };
    const { nextCursor } = await queryTasks(pool, 'default', search(fields));
    const text = Buffer.from(nextCursor as string, 'base64url').toString();
    const tampered = [
      'garbage',
      `${nextCursor}AAAA`,
      Buffer.from(text.replace(/\d{13}/, '1000000000000')).toString('base64url'),
      Buffer.from(`1~0~' or 1=1 --~${'a'.repeat(16)}`).toString('base64url'),
    ];
    for (const cursor of tampered) {
      await expect(
        (async () => queryTasks(pool, 'default', search({ ...fields, cursor })))(),
      ).rejects.toMatchObject({ refusal: { code: 'INVALID_INPUT', field: 'cursor' } });
    }
    const elsewhere = search({ batchId: 'another', limit: 1, cursor: nextCursor });
    await expect(queryTasks(pool, 'default', elsewhere)).rejects.toThrow('INVALID_INPUT');
    await expect(
      queryTasks(pool, 'other', search({ ...fields, cursor: nextCursor })),
    ).rejects.toThrow('INVALID_INPUT');
  });
});

describe('finding tasks by id', () => {
  it('gives record, project and last lease, and leaves unknown ids out', async () => {
    const taskId = await create({}, 'p2');
    await assign(taskId, 'ada', 'p2');
    const { lease } = partition.state.tasks.get(taskId)?.holder ?? {};
    await ask('task.complete', { taskId, lease, result: { n: 1 } }, 'p2');
    await caughtUp();
    const unknown = newAggregateId(clock, 0, Buffer.alloc(8));
    const found = await findTasks(pool, [taskId, unknown]);
    expect([...found.keys()]).toEqual([taskId]);
    expect(found.get(taskId)).toEqual(finishedOf(partition.state.recent.get(taskId) as Task));
  });
});

describe('queue.metrics', () => {
  it('counts, measures and rates what one project did', async () => {
    const project = 'measured';
    const taskIds: string[] = [];
    for (let n = 0; n < 4; n++) taskIds.push(await create({ maxAttempts: 1 }, project));
    const [done, lost, called] = taskIds as [string, string, string];
    const oldest = await create({ taskType: 'late', priority: 'low' }, project);
    clock += 1_000;
    for (const id of [done, lost, called]) await assign(id, 'ada', project);
    const metrics = { durationMs: 40 };
    await ask('task.complete', { taskId: done, metrics }, project);
    const error = { message: 'no' };
    await ask('task.fail', { taskId: lost, error, shouldRetry: true }, project);
    await ask('task.cancel', { taskId: called }, project);
    await caughtUp();
    const figures = await queueMetrics(pool, project, clock);
    expect(figures).toMatchObject({
      byStatus: { pending: 2, assigned: 0, completed: 1, failed: 1, cancelled: 1 },
      byPriority: { low: 1, medium: 4, high: 0 },
      byType: { demo: 4, late: 1 },
      throughputPerMinute: 1,
      successRate: 0.5,
      retryRate: 0,
    });
    expect(figures.oldestPendingMs).toBeGreaterThan(1_000);
    expect(figures.waitMs.p50).toBeGreaterThan(1_000);
    expect(figures.runMs.p99).not.toBeNull();
    expect(metricsOperation.output.parse(figures)).toEqual(figures);
    expect(oldest).toBeDefined();
  });

  it('has nothing to say of a project without tasks, and says it in the same form', async () => {
    expect(await queueMetrics(pool, 'empty', clock)).toMatchObject({
      byStatus: { pending: 0, completed: 0 },
      byType: {},
      oldestPendingMs: null,
      throughputPerMinute: 0,
      waitMs: { p50: null, p95: null, p99: null },
      successRate: null,
    });
  });
});

describe('a rebuild of the tasks', () => {
  it('equals what stands, row by row, counts included', async () => {
    await caughtUp();
    const rowsOf = async (table: string): Promise<unknown[]> =>
      (await pool.query<{ t: string }>(`select t::text from ${table} t order by 1`)).rows;
    const counts = '(select * from task_counts_v2 where n <> 0)';
    const [rows, figures] = [await rowsOf('tasks'), await rowsOf(counts)];
    expect(rows.length).toBeGreaterThan(10);
    await leadingRebuild(pool, tasks, (client) => rebuild(client, { log, projection: tasks }));
    expect(await rowsOf('tasks')).toEqual(rows);
    expect(await rowsOf(counts)).toEqual(figures);
  });
});
