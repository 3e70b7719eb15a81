import type { TaskLifeEvent } from '@athena/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drive, histories } from '../domain/histories.scenario.js';
import { Queue } from '../domain/queue.scenario.js';
import { MEASURED_TASKS, queueMetrics } from './queue-metrics.js';
import { ReadModel } from './read-model.scenario.js';

let model: ReadModel;
beforeAll(async () => {
  model = await ReadModel.start();
});
afterAll(() => model?.stop());
afterEach(() => model.empty());

type Metrics = Awaited<ReturnType<typeof queueMetrics>>;

/** What the log says of one task, as far as it is counted. */
interface Counted {
  status: string;
  priority: string;
  readonly type: string;
  readonly created: number;
  assigned: number | null;
  ended: number | null;
  ranMs: number | null;
  attemptsFailed: number;
}

/** Counts the log anew: no projection, no SQL. */
function recount(queue: Queue): Counted[] {
  const tasks = new Map<string, Counted>();
  for (const { event: logged, at } of queue.log) {
    const event = logged as TaskLifeEvent;
    const { id } = event;
    if (event.type === 'TaskCreated') {
      const { priority, taskType: type } = event.data;
      const times = { created: at, assigned: null, ended: null, ranMs: null };
      tasks.set(id, { status: 'pending', priority, type, ...times, attemptsFailed: 0 });
    }
    const task = tasks.get(id);
    if (task) countEvent(task, event, at);
  }
  return [...tasks.values()];
}

function countEvent(task: Counted, event: TaskLifeEvent, at: number): void {
  const back = { status: 'pending', assigned: null };
  const ended = (status: string, ranMs: number | null): object => ({ status, ended: at, ranMs });
  if (event.type === 'TaskAssigned') Object.assign(task, { status: 'assigned', assigned: at });
  if (event.type === 'TaskStarted') task.status = 'running';
  if (event.type === 'TaskBlocked') task.status = 'blocked';
  if (event.type === 'TaskReleased') Object.assign(task, back);
  if (event.type === 'AttemptFailed') {
    Object.assign(task, back, { attemptsFailed: task.attemptsFailed + 1 });
  }
  if (event.type === 'TaskCompleted')
    Object.assign(task, ended('completed', event.data.durationMs));
  if (event.type === 'TaskFailed') Object.assign(task, ended('failed', event.data.durationMs));
  if (event.type === 'TaskExpired') Object.assign(task, ended('failed', null));
  if (event.type === 'TaskReprioritised') task.priority = event.data.priority;
  if (event.type === 'TaskRedriven') {
    Object.assign(task, back, { ended: null, ranMs: null, attemptsFailed: 0 });
    task.priority = event.data.priority;
  }
  if (event.type === 'TaskCancelled') Object.assign(task, ended('cancelled', null));
}

const tally = (tasks: readonly Counted[], of: 'status' | 'priority' | 'type'): object => {
  const counts: Record<string, number> = {};
  for (const task of tasks) counts[task[of]] = (counts[task[of]] ?? 0) + 1;
  return counts;
};

/** Between two values the percentile lies on the line between them. */
function percentiles(values: readonly (number | null)[]): Metrics['waitMs'] {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const at = (fraction: number): number | null => {
    const place = fraction * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
    if (below === undefined || above === undefined) return null;
    return below + (above - below) * (place - Math.floor(place));
  };
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function expected(queue: Queue): Record<keyof Metrics, unknown> {
  const all = recount(queue);
  const over = all.filter(({ ended }) => ended !== null);
  const judged = over.filter(({ status }) => status !== 'cancelled');
  const completed = judged.filter(({ status }) => status === 'completed');
  const pending = all.filter(({ status }) => status === 'pending');
  const since = queue.now - 60_000;
  return {
    byStatus: tally(all, 'status'),
    byPriority: tally(all, 'priority'),
    byType: tally(all, 'type'),
    oldestPendingMs:
      pending.length === 0 ? null : queue.now - Math.min(...pending.map(({ created }) => created)),
    throughputPerMinute: completed.filter(({ ended }) => (ended ?? 0) > since).length,
    waitMs: percentiles(over.map((task) => task.assigned && task.assigned - task.created)),
    runMs: percentiles(over.map(({ ranMs }) => ranMs)),
    successRate: share(completed.length, judged.length),
    retryRate: share(judged.filter((task) => task.attemptsFailed > 0).length, judged.length),
  };
}

/** Numbers that SQL and JavaScript may round differently in the last place. */
const near = (value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? expect.closeTo(value, 6) : value;
const nearly = (value: object): unknown =>
  Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, near(inner)]));

const withoutZeros = (counts: object): object =>
  Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0));

async function expectExact(queue: Queue): Promise<void> {
  await model.fold(queue);
  const told = await queueMetrics(model.pool, 'default', queue.now);
  const { waitMs, runMs, ...figures } = expected(queue);
  const byStatus = withoutZeros(told.byStatus);
  const byPriority = withoutZeros(told.byPriority);
  expect({ ...told, byStatus, byPriority }).toEqual({
    ...(nearly(figures) as object),
    waitMs: nearly(waitMs as object),
    runMs: nearly(runMs as object),
  });
}

describe('queue.metrics', () => {
  it('say exactly what a recount of the log says, whatever happened, at any time', async () => {
    const moments = fc.tuple(histories, fc.nat(120_000));
    const property = fc.asyncProperty(moments, async ([history, laterMs]) => {
      await model.empty();
      const queue = drive(history);
      await expectExact(queue);
      // The same rows again, with the counts moving between their groups.
      queue.advance(laterMs);
      await expectExact(queue);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('measure the tasks that finished last', async () => {
    const queue = new Queue();
    const finish = (waitedMs: number): void => {
      const id = queue.create();
      queue.advance(waitedMs);
      const lease = queue.assign(id);
      queue.report('complete', id, lease, { metrics: { durationMs: waitedMs * 2 } });
      queue.advance(1);
    };
    for (let n = 0; n < 10; n++) finish(20_000);
    for (let n = 0; n < MEASURED_TASKS; n++) finish(5);
    await model.fold(queue);
    const { waitMs, runMs } = await queueMetrics(model.pool, 'default', queue.now);
    expect(waitMs).toEqual({ p50: 5, p95: 5, p99: 5 });
    expect(runMs).toEqual({ p50: 10, p95: 10, p99: 10 });
  });
});
