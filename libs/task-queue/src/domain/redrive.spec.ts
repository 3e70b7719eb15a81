import type { TaskRecord } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import { RECENT_TASKS_MAX } from './recent-tasks.js';
import { finishedOf } from './record.js';
import { Queue } from './queue.scenario.js';
import type { Task } from './state.js';

const BOOM = { error: { message: 'boom' }, shouldRetry: true };

/** Attempts that fail, until there are no more. */
function exhaust(queue: Queue, id: string): TaskRecord {
  for (;;) {
    queue.report('fail', id, queue.assign(id), BOOM);
    if (queue.record(id).status === 'failed') return queue.record(id);
    queue.advance(600_000);
  }
}

const complete = (queue: Queue, id: string): void =>
  void queue.report('complete', id, queue.assign(id), { result: 1 });

const statuses = (queue: Queue, ids: readonly string[]): string[] =>
  ids.map((id) => queue.record(id).status);

describe('task.redrive', () => {
  it('gives a dead letter as many further attempts, whose numbers go on', () => {
    const queue = new Queue();
    const fields = { requirements: ['reading'], excludeAgents: ['eve'], startToCloseMs: 5_000 };
    const id = queue.create({ maxAttempts: 2, content: { deep: [1] }, ...fields });
    const dead = exhaust(queue, id);
    expect(dead).toMatchObject({ attempt: 2, deadLettered: true, ...fields });
    const { types, answer } = queue.when('task.redrive', { taskId: id });
    expect(types).toEqual(['TaskRedriven']);
    expect(answer).toEqual({ taskId: id, status: 'pending' });
    expect(queue.record(id)).toEqual({
      ...dead,
      status: 'pending',
      reason: null,
      redrivenAfter: 2,
      maxAttempts: 4,
      retryCount: 0,
      ...{ assignedTo: null, assignedAt: null, startedAt: null, completedAt: null },
      ...{ success: null, error: null, executionDurationMs: null, deadLettered: false },
    });
    expect(exhaust(queue, id)).toMatchObject({ attempt: 4, deadLettered: true });
    queue.when('task.redrive', { taskId: id });
    expect(queue.record(id)).toMatchObject({ attempt: 4, maxAttempts: 6, redrivenAfter: 4 });
    complete(queue, id);
    expect(queue.record(id)).toMatchObject({ status: 'completed', attempt: 5 });
  });

  it('runs a cancelled task again, at its planned time if that is to come', () => {
    const queue = new Queue();
    const id = queue.create({ delayMs: 60_000 });
    queue.when('task.cancel', { taskId: id });
    queue.when('task.redrive', { taskId: id });
    expect(queue.record(id)).toMatchObject({ status: 'pending', reason: 'scheduled' });
    queue.advance(60_000);
    expect(queue.record(id).reason).toBeNull();
  });

  it('twice is once; only failed or cancelled tasks run again; old leases are nothing', () => {
    const queue = new Queue();
    const [waiting, done, failed] = [queue.create(), queue.create(), queue.create()];
    complete(queue, done);
    const lease = queue.assign(failed);
    queue.report('fail', failed, lease, { ...BOOM, shouldRetry: false });
    for (const taskId of [waiting, done]) {
      expect(queue.when('task.redrive', { taskId }).refusal?.code).toBe('ILLEGAL_TRANSITION');
    }
    queue.when('task.redrive', { taskId: failed });
    expect(queue.when('task.redrive', { taskId: failed }).types).toEqual([]);
    const late = queue.report('complete', failed, lease, { result: 1 });
    expect(late.refusal?.code).toBe('STALE_LEASE');
    const other = queue.when('task.redrive', { taskId: failed }, { project: 'other' });
    expect(other.refusal?.code).toBe('TASK_NOT_FOUND');
  });

  it('needs a forgotten task from the read model, which it restores wholly', () => {
    const queue = new Queue();
    const id = queue.create({ content: 'old', priority: 'high', fairnessKey: 'acme' });
    queue.when('task.cancel', { taskId: id });
    const known = finishedOf(queue.state.recent.get(id) as Task);
    for (let n = 0; n < RECENT_TASKS_MAX; n++) {
      queue.when('task.cancel', { taskId: queue.create() });
    }
    expect(queue.when('task.redrive', { taskId: id }).decision).toEqual({ needs: [id] });
    const fetched = new Map([[id, known]]);
    expect(queue.when('task.redrive', { taskId: id }, { fetched }).types).toEqual(['TaskRedriven']);
    const { content, priority, options } = queue.record(id);
    expect([content, priority, options]).toEqual(['old', 'high', { fairnessKey: 'acme' }]);
  });

  it('drops instants that have passed: they would end the task at once', () => {
    const queue = new Queue();
    const at = (ms: number): string => new Date(queue.now + ms).toISOString();
    const options = { deadline: at(1_000), retryUntil: at(900_000), fairnessKey: 'acme' };
    const id = queue.create({ ...options });
    queue.when('task.cancel', { taskId: id });
    queue.advance(60_000);
    queue.when('task.redrive', { taskId: id });
    const { retryUntil, fairnessKey } = options;
    expect(queue.record(id).options).toEqual({ retryUntil, fairnessKey });
  });
});

describe('dependents of a redriven task', () => {
  /** a ← b ← c, and d ← c. */
  function chain(): { queue: Queue; ids: [string, string, string, string] } {
    const queue = new Queue();
    const a = queue.create();
    const b = queue.create({ dependencies: [a] });
    const d = queue.create();
    const c = queue.create({ dependencies: [b, d] });
    return { queue, ids: [a, b, c, d] };
  }

  it('wait again, transitively, and go on when it completes', () => {
    const { queue, ids } = chain();
    const [a, b, c, d] = ids;
    queue.when('task.cancel', { taskId: a });
    queue.advance(0);
    expect(statuses(queue, ids)).toEqual(['cancelled', 'blocked', 'blocked', 'pending']);
    queue.when('task.redrive', { taskId: a });
    queue.advance(0);
    expect([b, c].map((id) => queue.record(id).reason)).toEqual(['dependencies', 'dependencies']);
    for (const id of [a, b, d, c]) {
      complete(queue, id);
      queue.advance(0);
    }
    expect(statuses(queue, ids)).toEqual(Array(4).fill('completed'));
  });

  it('stay blocked by what else failed, and say so down the chain', () => {
    const { queue, ids } = chain();
    const [a, b, c, d] = ids;
    const e = queue.create({ dependencies: [c] });
    queue.when('task.cancel', { taskId: a });
    queue.advance(0);
    queue.when('task.cancel', { taskId: d });
    queue.advance(0);
    expect([b, c, e].map((id) => queue.record(id).reason)).toEqual([a, a, a]);
    queue.when('task.redrive', { taskId: a });
    queue.advance(0);
    expect([b, c, e].map((id) => queue.record(id).reason)).toEqual(['dependencies', d, d]);
    queue.when('task.redrive', { taskId: d });
    queue.advance(0);
    expect(statuses(queue, [b, c, e])).toEqual(['pending', 'pending', 'pending']);
  });

  it('that completes before they were told that it runs again still frees them', () => {
    const { queue, ids } = chain();
    const [a, b] = ids;
    queue.when('task.cancel', { taskId: a });
    queue.advance(0);
    queue.when('task.redrive', { taskId: a });
    complete(queue, a);
    queue.advance(0);
    expect(queue.record(b).reason).toBeNull();
  });

  it('follow a chain of any length without a stack, hundreds in one decision', () => {
    const queue = new Queue();
    const length = 100_000;
    const root = queue.create();
    let last = root;
    for (let n = 0; n < length; n++) {
      const id = queue.newId();
      const data = { content: 1, taskType: 'demo', priority: 'medium', requirements: [] };
      const more = { dependencies: [last], waitsFor: [last], maxAttempts: 1, autoRoute: true };
      const event = { type: 'TaskCreated', v: 2, project: 'default', id };
      queue.given({ ...event, data: { ...data, ...more } });
      last = id;
    }
    queue.when('task.cancel', { taskId: root });
    queue.advance(0);
    expect(queue.record(last)).toMatchObject({ status: 'blocked', reason: root });
    queue.when('task.redrive', { taskId: root });
    const before = queue.log.length;
    queue.advance(0);
    expect(queue.record(last).reason).toBe('dependencies');
    expect(queue.log.length - before).toBe(length);
  }, 60_000);
});

describe('onDependencyFailure: cancel', () => {
  const cancel = { onDependencyFailure: 'cancel' };

  it('cancels dependents with the cause instead of blocking them, transitively', () => {
    const queue = new Queue();
    const a = queue.create();
    const b = queue.create({ dependencies: [a], ...cancel });
    const c = queue.create({ dependencies: [b, a], ...cancel });
    const d = queue.create({ dependencies: [b] });
    queue.when('task.cancel', { taskId: a });
    queue.advance(0);
    expect(statuses(queue, [b, c, d])).toEqual(['cancelled', 'cancelled', 'blocked']);
    expect(queue.record(d).reason).toBe(b);
    const cancelled = queue.log.map(({ event }) => event).filter(({ id }) => id === b);
    expect(cancelled.at(-1)).toMatchObject({ type: 'TaskCancelled', data: { cause: a } });
  });

  it('holds from the start where a dependency has failed already', () => {
    const queue = new Queue();
    const a = queue.create();
    queue.when('task.cancel', { taskId: a });
    const { types, answer } = queue.tryCreate({ dependencies: [a], ...cancel });
    expect(types).toEqual(['TaskCreated', 'TaskCancelled']);
    expect(answer).toMatchObject({ created: true, status: 'cancelled' });
  });

  it('leaves them cancelled when the dependency is redriven, until they are themselves', () => {
    const queue = new Queue();
    const a = queue.create();
    const b = queue.create({ dependencies: [a], ...cancel });
    queue.when('task.cancel', { taskId: a });
    queue.advance(0);
    const early = queue.when('task.redrive', { taskId: b });
    expect(early.refusal?.detail).toContain(a);
    queue.when('task.redrive', { taskId: a });
    queue.advance(0);
    expect(queue.record(b).status).toBe('cancelled');
    queue.when('task.redrive', { taskId: b });
    expect(queue.record(b).reason).toBe('dependencies');
    complete(queue, a);
    queue.advance(0);
    expect(queue.record(b).reason).toBeNull();
  });
});
