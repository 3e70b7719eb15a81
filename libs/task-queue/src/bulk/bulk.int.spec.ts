import { bulkTasks, createTask, limits, type BulkStatus } from '@athena/contracts';
import { MemoryLog, Partition, decodeCommit, type LoggedEvent } from '@athena/event-log';
import {
  Refused,
  UNAVAILABLE,
  newAggregateId,
  type Input,
  type Operation,
  type Output,
  type RawInput,
} from '@athena/operation';
import { ProjectionRunner, TableModel, createDataSource, createPool } from '@athena/projection';
import type { Called, Caller, OperationCaller } from '@athena/service-kit';
import { until } from '@athena/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../../tools/stack/servers.mjs';
import { taskDecider } from '../domain/decider.js';
import type { TaskState } from '../domain/state.js';
import { bulkStatusHandler, bulkTasksHandler } from '../operations/bulk-tasks.js';
import { tasks as tasksProjection } from '../projections/tasks.js';
import { taskQueueEntities, taskQueueMigrations } from '../schema.js';
import { BulkJobs } from './bulk-jobs.js';
import { BulkWorker, PAGE_TASKS } from './bulk-worker.js';

let postgres: RunningPostgres;
let pool: Pool;
beforeAll(async () => {
  postgres = await startPostgres();
  const settings = { entities: taskQueueEntities, migrations: taskQueueMigrations };
  const source = await createDataSource({ url: postgres.url, ...settings });
  const { upQueries } = await source.driver.createSchemaBuilder().log();
  const differences = upQueries.map(({ query }) => query);
  expect(differences.filter((query) => !query.startsWith('DROP INDEX'))).toEqual([]);
  await source.destroy();
});
afterAll(async () => {
  await postgres?.stop();
});

/** One partition with its read model; workers are started where a test wants them. */
class Bulk implements OperationCaller {
  readonly log = new MemoryLog();
  readonly failures: unknown[] = [];
  /** What happens to a call instead of being answered. */
  fault: (taskId: string) => Promise<void> | undefined = () => undefined;
  #partition!: Partition<TaskState>;
  #runner!: ProjectionRunner;
  readonly #workers: BulkWorker[] = [];
  #ids = 0;

  static async begin(): Promise<Bulk> {
    const bulk = new Bulk();
    const { log } = bulk;
    const decider = taskDecider({ partition: 0 });
    bulk.#partition = await Partition.open({ name: 'task.0', log, decider, owner: 'spec' });
    const model = new TableModel(tasksProjection);
    bulk.#runner = new ProjectionRunner({ pool, feed: log, log, model });
    void bulk.#runner.start();
    return bulk;
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    await this.#runner.stop();
    await this.#partition.close();
  }

  worker(): BulkWorker {
    const onFailure = (error: unknown): void => void this.failures.push(error);
    const worker = new BulkWorker({ pool, calls: this, onFailure });
    this.#workers.push(worker);
    worker.start();
    return worker;
  }

  async call<T extends Operation>(
    { name: op }: T,
    input: Input<T>,
    caller: Caller,
  ): Promise<Called<Output<T>>> {
    const fault = this.fault((input as { taskId: string }).taskId);
    const answer = await this.#partition.ask({ id: `c${++this.#ids}`, ...caller, op, input });
    await fault;
    if ('refusal' in answer) throw new Refused(answer.refusal);
    return { output: answer.ok as Output<T>, seq: answer.seq };
  }

  async tasks(n: number, fields: object = {}, project = 'p'): Promise<string[]> {
    return Promise.all(
      Array.from({ length: n }, async () => {
        const id = newAggregateId(Date.now(), 0, Buffer.from(`${++this.#ids}`.padStart(8, '0')));
        const input = createTask.input.parse({ content: 1, taskType: 'x', ...fields });
        await this.call(createTask, input, { project, actor: 'key:a', id });
        return id;
      }),
    );
  }

  async bulk(input: RawInput<typeof bulkTasks>, project = 'p') {
    const handler = bulkTasksHandler({
      jobs: new BulkJobs(pool),
      log: this.log,
      tasks: this.#runner,
      onStarted: () => undefined,
    });
    const id = newAggregateId(Date.now(), 0, Buffer.from(`b${++this.#ids}`.padStart(8, '0')));
    const caller = { project, actor: 'key:boss' as const, id };
    return (await handler.handle(bulkTasks.input.parse(input), caller)).output;
  }

  async status(bulkId: string | null, project = 'p'): Promise<BulkStatus> {
    const handler = bulkStatusHandler({ jobs: new BulkJobs(pool), log: this.log });
    const caller = { project, actor: 'key:boss' as const, id: 'any' };
    return (await handler.handle({ bulkId: bulkId ?? '' }, caller)).output;
  }

  async done(bulkId: string | null): Promise<BulkStatus> {
    await until(async () => (await this.status(bulkId)).state !== 'running', 'the bulk is over');
    return this.status(bulkId);
  }

  events(type: string): LoggedEvent[] {
    return this.log.messages
      .flatMap(({ seq, subject, payload }) => decodeCommit(seq, subject, payload).events)
      .filter((event) => event.type === type);
  }
}

let given: Bulk;
beforeEach(async () => {
  pool = createPool(postgres.url);
  await pool.query('truncate bulk_jobs, tasks_v2, task_counts_v2, projection_checkpoints');
  given = await Bulk.begin();
});
afterEach(async () => {
  await given.end();
  await pool.end();
});

describe('a dry run', () => {
  it('tells what would be done, and does nothing', async () => {
    const ids = await given.tasks(25, { taskType: 'y' });
    await given.tasks(3);
    await given.tasks(3, { taskType: 'y' }, 'another');
    await given.call({ name: 'task.cancel' } as Operation, { taskId: ids[0] }, CALLER);

    const told = await given.bulk({ action: 'cancel', filter: { taskType: 'y' }, dryRun: true });
    expect([told.bulkId, told.matched, told.sample.length]).toEqual([null, 24, limits.BULK_SAMPLE]);
    expect(ids).toEqual(expect.arrayContaining(told.sample));
    const few = { action: 'cancel', filter: {}, limit: 7, dryRun: true } as const;
    expect((await given.bulk(few)).matched).toBe(7);
    const high = { action: 'reprioritise', filter: {}, priority: 'medium', dryRun: true } as const;
    expect((await given.bulk(high)).matched).toBe(0);
    expect(given.events('TaskCancelled')).toHaveLength(1);
  });

  it('is told by every filter of a search', async () => {
    const [a, b] = await given.tasks(2, { content: 'the annual report', metadata: { n: 1 } });
    await given.tasks(1, { metadata: { n: 2 } });
    await given.call({ name: 'task.cancel' } as Operation, { taskId: b }, CALLER);

    for (const filter of [{ text: 'report' }, { metadata: ['n=1'] }]) {
      const told = await given.bulk({ action: 'cancel', filter, dryRun: true });
      expect([told.matched, told.sample]).toEqual([1, [a]]);
    }
    const of = async (filter: RawInput<typeof bulkTasks>['filter']): Promise<number> =>
      (await given.bulk({ action: 'cancel', filter, dryRun: true })).matched;
    expect(await of({ status: ['pending', 'cancelled'] })).toBe(2);
    expect(await of({ finishedAfter: '2000-01-01T00:00:00Z' })).toBe(0);
  });
});

const CALLER: Caller = { project: 'p', actor: 'key:a' };

describe('a bulk operation', () => {
  it('changes what matched when it was asked for, in the name of who asked', async () => {
    const ids = await given.tasks(2 * PAGE_TASKS + 10, { priority: 'low' });
    const filter = { priority: 'low' } as const;
    const begun = await given.bulk({ action: 'reprioritise', filter, priority: 'high' });
    expect(begun.matched).toBe(ids.length);
    const [late] = await given.tasks(1, { priority: 'low' });
    expect(await given.status(begun.bulkId)).toMatchObject({ state: 'running', done: 0 });

    given.worker();
    expect(await given.done(begun.bulkId)).toEqual({
      ...{ bulkId: begun.bulkId, action: 'reprioritise', state: 'done', by: 'key:boss' },
      ...{ matched: ids.length, done: ids.length, changed: ids.length, refused: {}, error: null },
      startedAt: expect.any(String),
      endedAt: expect.any(String),
    });
    const changed = given.events('TaskReprioritised');
    expect(new Set(changed.map(({ id }) => id))).toEqual(new Set(ids));
    expect(ids).not.toContain(late);
    for (const { actor, correlation } of changed) {
      expect([actor, correlation]).toEqual(['key:boss', begun.bulkId]);
    }
  });

  it('counts what is refused by its code', async () => {
    const ids = await given.tasks(3);
    const { bulkId } = await given.bulk({ action: 'reprioritise', filter: {}, priority: 'low' });
    await given.call({ name: 'task.cancel' } as Operation, { taskId: ids[1] }, CALLER);

    given.worker();
    expect(await given.done(bulkId)).toMatchObject({
      ...{ done: 3, changed: 2, refused: { ILLEGAL_TRANSITION: 1 } },
    });
  });

  it('of nothing is done at once, and nobody else’s can be seen', async () => {
    const { bulkId } = await given.bulk({ action: 'cancel', filter: {} });
    expect(await given.status(bulkId)).toMatchObject({ state: 'done', matched: 0, done: 0 });
    await expect(given.status(bulkId, 'another')).rejects.toThrow('BULK_NOT_FOUND');
  });

  it('twice with one key is once', async () => {
    await given.tasks(2);
    const cancel = { action: 'cancel', filter: {}, idempotencyKey: 'k' } as const;
    const first = await given.bulk(cancel);
    await given.tasks(2);
    expect(await given.bulk(cancel)).toEqual(first);
    expect((await given.bulk(cancel, 'another')).bulkId).not.toBe(first.bulkId);
  });

  it('is refused where too many are under way', async () => {
    await given.tasks(1);
    for (let n = 0; n < limits.BULKS_MAX; n++) await given.bulk({ action: 'cancel', filter: {} });
    await expect(given.bulk({ action: 'cancel', filter: {} })).rejects.toThrow('TOO_MANY_BULKS');
  });
});

describe('a bulk operation that is disturbed', () => {
  it('goes on where its process lost its hold, and does nothing twice', async () => {
    const ids = await given.tasks(PAGE_TASKS + 50);
    const { bulkId } = await given.bulk({ action: 'cancel', filter: {} });
    let cut = false;
    // The page's tasks are cancelled, but that it is done is never noted.
    given.fault = (taskId) => {
      if (cut || taskId !== ids[PAGE_TASKS - 1]) return undefined;
      cut = true;
      return cutHolder();
    };
    given.worker();

    expect(await given.done(bulkId)).toMatchObject({ done: ids.length, changed: ids.length });
    expect(cut).toBe(true);
    expect(given.failures).toHaveLength(1);
    expect(given.events('TaskCancelled')).toHaveLength(ids.length);
  });

  it('waits for what is away, and lets another one go first', async () => {
    const [away] = await given.tasks(1, { taskType: 'away' });
    await given.tasks(2);
    let up = false;
    given.fault = (taskId) =>
      !up && taskId === away ? Promise.reject(Refused.because(UNAVAILABLE, 'away')) : undefined;
    const stuck = await given.bulk({ action: 'cancel', filter: { taskType: 'away' } });
    const other = await given.bulk({ action: 'cancel', filter: { taskType: 'x' } });
    given.worker();

    expect(await given.done(other.bulkId)).toMatchObject({ changed: 2 });
    expect(await given.status(stuck.bulkId)).toMatchObject({ state: 'running', done: 0 });
    up = true;
    expect(await given.done(stuck.bulkId)).toMatchObject({ changed: 1, refused: {} });
  });

  it('that can’t go on says so', async () => {
    await given.tasks(1);
    const { bulkId } = await given.bulk({ action: 'cancel', filter: {} });
    given.fault = () => Promise.reject(new Error('a bug'));
    given.worker();

    const { state, error } = await given.done(bulkId);
    expect([state, error]).toEqual(['failed', expect.stringContaining('a bug')]);
  });

  it('is done once by two processes', async () => {
    const ids = await given.tasks(3 * PAGE_TASKS);
    const { bulkId } = await given.bulk({ action: 'cancel', filter: {} });
    given.worker();
    given.worker();

    expect(await given.done(bulkId)).toMatchObject({ done: ids.length, changed: ids.length });
    expect(given.failures).toEqual([]);
    expect(given.events('TaskCancelled')).toHaveLength(ids.length);
  });
});

/** Ends the session that holds a job's row, as a crash of its process would. */
async function cutHolder(): Promise<void> {
  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where state = 'idle in transaction' and pid <> pg_backend_pid()`,
  );
}
