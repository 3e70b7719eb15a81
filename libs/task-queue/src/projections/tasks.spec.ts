import type { TaskRecord } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drive, histories } from '../domain/histories.scenario.js';
import { Queue } from '../domain/queue.scenario.js';
import { finishedOf, recordOf } from '../domain/record.js';
import { applyToTask, tasks } from './tasks.js';
import { recordOfRow, type TaskRow } from './task-row.js';

/** The projection's rows after everything that is in the queue's log. */
function rowsOf(queue: Queue): Map<string, TaskRow> {
  const rows = new Map<string, TaskRow>();
  queue.log.forEach(({ event, at, rev, index }, n) => {
    const placed = { seq: n + 1, index, at, partition: 'task.0', rev };
    const [key] = tasks.keyOf(event, placed) ?? [];
    if (key === undefined) return;
    const known = rows.get(key);
    const row = applyToTask(known ? Object.freeze(known) : null, event, placed);
    if (row) rows.set(key, row);
  });
  return rows;
}

const rowOf = (queue: Queue, taskId: string): TaskRow => rowsOf(queue).get(taskId) as TaskRow;

/** What the partition itself says of every task, live or just finished. */
function recordsOf({ state }: Queue): Map<string, { record: TaskRecord; lease: string | null }> {
  const live = [...state.tasks.values()].map((task) => {
    const lease = task.holder?.lease ?? task.endedLease ?? null;
    return [task.id, { record: recordOf(task), lease }] as const;
  });
  const finished = [...state.recent.values()].map((task) => [task.id, finishedOf(task)] as const);
  // A task that was redriven is both.
  return new Map([...finished, ...live].map(([id, { record, lease }]) => [id, { record, lease }]));
}

describe('the projection of tasks', () => {
  it('given a created task, then a pending row with everything that was asked for', () => {
    const queue = new Queue();
    const id = queue.create({
      content: { text: 'read this' },
      taskType: 'summarise',
      priority: 'high',
      requirements: ['reading'],
      batchId: 'b1',
      metadata: { goal: 'insight' },
      estimatedDurationMs: 5_000,
    });
    expect(rowOf(queue, id)).toMatchObject({
      task_id: id,
      project: 'default',
      content: { text: 'read this' },
      task_type: 'summarise',
      status: 'pending',
      priority: 'high',
      requirements: ['reading'],
      batch_id: 'b1',
      metadata: { goal: 'insight' },
      estimated_duration_ms: 5_000,
      attempt: 0,
      max_attempts: 3,
      reason: null,
      lease: null,
      created_at: queue.now,
    });
  });

  it('given an assignment, then holder, session and the lease that the partition gave out', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id, 'ada', 7);
    expect(rowOf(queue, id)).toMatchObject({
      status: 'assigned',
      assigned_to: 'ada',
      session: 7,
      lease,
      attempt: 1,
    });
  });

  it('given a completion, then the result, and the last holder stays named', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    queue.report('complete', id, lease, { result: { pages: 3 }, metrics: { durationMs: 12 } });
    expect(rowOf(queue, id)).toMatchObject({
      status: 'completed',
      success: true,
      result: { pages: 3 },
      execution_duration_ms: 12,
      assigned_to: 'ada',
      lease,
      completed_at: queue.now,
    });
  });

  it('given a failed attempt, then pending again in its backoff, with the error kept', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    queue.report('fail', id, lease, { error: { message: 'no paper' }, shouldRetry: true });
    expect(rowOf(queue, id)).toMatchObject({
      status: 'pending',
      reason: 'backoff',
      error: { message: 'no paper' },
      retry_count: 1,
      assigned_to: null,
      lease,
    });
    queue.advance(10 * 60_000);
    expect(rowOf(queue, id)).toMatchObject({ status: 'pending', reason: null });
  });

  it.each([
    ['dependencies', { dependencies: 1 }],
    ['scheduled', { delayMs: 1_000 }],
    ['manual', { autoRoute: false }],
    [null, {}],
  ])('names %j as the reason why a task waits', (reason, fields) => {
    const queue = new Queue();
    const dependencies = 'dependencies' in fields ? { dependencies: [queue.create()] } : {};
    const id = queue.create({ ...fields, ...dependencies });
    expect(rowOf(queue, id).reason).toBe(reason);
  });

  it('names the task at the root as the reason of every task that it blocks', () => {
    const queue = new Queue();
    const root = queue.create({ maxAttempts: 1 });
    const middle = queue.create({ dependencies: [root] });
    const last = queue.create({ dependencies: [middle] });
    queue.report('fail', root, queue.assign(root), {
      error: { message: 'no' },
      shouldRetry: false,
    });
    queue.advance(0);
    const rows = rowsOf(queue);
    expect(rows.get(middle)).toMatchObject({ status: 'blocked', reason: root, waits_for: [] });
    expect(rows.get(last)).toMatchObject({ status: 'blocked', reason: root });
  });

  it('leaves a row alone at events that say nothing about it', () => {
    const queue = new Queue();
    queue.create();
    const opened = { type: 'PartitionOpened', v: 1, project: '', id: 'task.0', data: {} };
    const placed = { seq: 9, index: 0, at: 0, partition: 'task.0', rev: 9 };
    expect(tasks.keyOf(opened, placed)).toBeNull();
    expect(tasks.keyOf({ ...opened, type: 'RouterOpened' }, placed)).toBeNull();
  });
});

describe('laws of the projection of tasks', () => {
  it('it says of every task exactly what the partition says, whatever happened', () => {
    const property = fc.property(histories, (history) => {
      const queue = drive(history);
      const rows = [...rowsOf(queue)].map(([id, row]) => [
        id,
        { record: recordOfRow(row), lease: row.lease },
      ]);
      expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(recordsOf(queue)));
    });
    fc.assert(property, { numRuns: 200 });
  });
});
