import { limits } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './attempt.js';
import { Queue } from './queue.scenario.js';

const SECOND = 1_000;
const boom = { error: { message: 'boom', code: 'BOOM' }, shouldRetry: true };
const opened = { type: 'PartitionOpened', v: 1, project: '', id: 'task.0', data: {} };

/** The instant so long from now. */
const after = (queue: Queue, ms: number): string => new Date(queue.now + ms).toISOString();

describe('backoff', () => {
  const pauses = (given: object): number[] => {
    const backoff = { kind: 'exponential', firstMs: 100, factor: 3, maxMs: 1_000, jitter: 'none' };
    const options = { backoff: { ...backoff, ...given } } as never;
    return [1, 2, 3, 4, 100].map((attempt) => backoffMs({ id: 'x', attempt, options }));
  };

  it('grows by its factor up to its cap', () => {
    expect(pauses({})).toEqual([100, 300, 900, 1_000, 1_000]);
  });

  it('of the fixed kind stays the same', () => {
    expect(pauses({ kind: 'fixed' })).toEqual([100, 100, 100, 100, 100]);
  });

  it('with jitter is anything up to the pause, and the same each time it is asked', () => {
    const jittered = pauses({ jitter: 'full' });
    expect(jittered).toEqual(pauses({ jitter: 'full' }));
    pauses({}).forEach((pause, n) => expect(jittered[n]).toBeLessThanOrEqual(pause));
    expect(new Set(jittered).size).toBeGreaterThan(2);
  });

  it('ends when the task says', () => {
    const queue = new Queue();
    const backoff = { kind: 'fixed', firstMs: 7 * SECOND, jitter: 'none' };
    const id = queue.create({ backoff });
    queue.report('fail', id, queue.assign(id), boom);
    expect(queue.advance(7 * SECOND - 1)).toEqual([]);
    expect(queue.advance(1)).toEqual(['TaskDue']);
  });
});

describe('scheduleToStartMs', () => {
  const scheduleToStartMs = 5 * SECOND;

  it('fails a task that is with no agent in time, as a dead letter', () => {
    const queue = new Queue();
    const id = queue.create({ scheduleToStartMs });
    expect(queue.advance(scheduleToStartMs - 1)).toEqual([]);
    expect(queue.advance(1)).toEqual(['TaskExpired']);
    expect(queue.record(id)).toMatchObject({
      status: 'failed',
      error: { code: 'SCHEDULE_TO_START_TIMEOUT' },
      deadLettered: true,
      reason: 'schedule_to_start',
      attempt: 0,
    });
  });

  it('counts from when the task is offered: planned time, dependencies and backoff over', () => {
    const queue = new Queue();
    const dependency = queue.create();
    const id = queue.create({
      scheduleToStartMs,
      delayMs: 10 * SECOND,
      dependencies: [dependency],
      backoff: { kind: 'fixed', firstMs: 10 * SECOND, jitter: 'none' },
    });
    queue.advance(20 * SECOND);
    queue.report('complete', dependency, queue.assign(dependency));
    queue.advance(scheduleToStartMs - 1);
    queue.report('fail', id, queue.assign(id), boom);
    expect(queue.advance(14 * SECOND)).toEqual(['TaskDue']);
    expect(queue.advance(SECOND)).toEqual(['TaskExpired']);
  });

  it('begins when the last dependency completes', () => {
    const queue = new Queue();
    const dependency = queue.create();
    queue.create({ scheduleToStartMs, dependencies: [dependency] });
    queue.advance(20 * SECOND);
    queue.report('complete', dependency, queue.assign(dependency));
    expect(queue.advance(scheduleToStartMs - 1)).toEqual(['DependencyCompleted']);
    expect(queue.advance(1)).toEqual(['TaskExpired']);
  });

  it('begins anew when a lease ends', () => {
    const queue = new Queue();
    const id = queue.create({ scheduleToStartMs });
    queue.assign(id);
    const startBy = limits.ASSIGNED_NOT_STARTED_MS;
    expect(queue.advance(startBy + scheduleToStartMs - 1)).toEqual(['TaskReleased']);
    expect(queue.advance(1)).toEqual(['TaskExpired']);
  });

  it('does not count time in which the partition was closed', () => {
    const queue = new Queue();
    queue.create({ scheduleToStartMs });
    queue.create({ scheduleToStartMs: 3_600_000 });
    queue.now += 3_599_000;
    queue.given(opened);
    expect(queue.advance(scheduleToStartMs - 1)).toEqual([]);
    expect(queue.advance(1)).toEqual(['TaskExpired']);
    expect(queue.advance(limits.ASSIGNED_NOT_STARTED_MS - scheduleToStartMs - 1)).toEqual([]);
    expect(queue.advance(1)).toEqual(['TaskExpired']);
  });
});

describe('retryUntil', () => {
  const backoff = { kind: 'fixed', firstMs: 5 * SECOND, jitter: 'none' };

  it('makes a dead letter of a failure whose retry it leaves no time for', () => {
    const queue = new Queue();
    const id = queue.create({ backoff, retryUntil: after(queue, 5 * SECOND) });
    const { types } = queue.report('fail', id, queue.assign(id), boom);
    expect(types).toEqual(['TaskStarted', 'TaskFailed']);
    expect(queue.record(id)).toMatchObject({
      error: { code: 'BOOM' },
      deadLettered: true,
      reason: 'retry_until',
      attempt: 1,
    });
  });

  it('lets the retry be that it leaves time for', () => {
    const queue = new Queue();
    const id = queue.create({ backoff, retryUntil: after(queue, 5 * SECOND + 1) });
    queue.report('fail', id, queue.assign(id), boom);
    expect(queue.record(id)).toMatchObject({ status: 'pending', reason: 'backoff' });
  });

  it('fails what is with no agent then, with the error of its last attempt', () => {
    const queue = new Queue();
    const retryUntil = after(queue, 6 * SECOND);
    const [never, failed] = [queue.create({ retryUntil }), queue.create({ backoff, retryUntil })];
    queue.report('fail', failed, queue.assign(failed), boom);
    expect(queue.advance(6 * SECOND)).toEqual(['TaskDue', 'TaskExpired', 'TaskExpired']);
    expect(queue.record(never)).toMatchObject({
      error: { code: 'RETRY_UNTIL_PASSED' },
      deadLettered: true,
    });
    expect(queue.record(failed)).toMatchObject({
      error: { code: 'BOOM' },
      reason: 'retry_until',
      retryCount: 1,
    });
  });

  it('fails what could only begin after it: blocked, waiting or planned', () => {
    const queue = new Queue();
    const retryUntil = after(queue, SECOND);
    const [running, cancelled] = [queue.create(), queue.create()];
    queue.create({ retryUntil, dependencies: [running] });
    queue.create({ retryUntil, dependencies: [cancelled] });
    queue.when('task.cancel', { taskId: cancelled });
    expect(queue.advance(SECOND)).toEqual(['TaskBlocked', 'TaskExpired', 'TaskExpired']);
  });

  it('leaves an attempt alone that has begun, and fails the task when its agent is lost', () => {
    const queue = new Queue();
    const id = queue.create({ retryUntil: after(queue, SECOND) });
    queue.report('start', id, queue.assign(id));
    expect(queue.advance(60 * SECOND)).toEqual([]);
    const gone = { partition: 0, agentId: 'ada', session: 1, exclude: true };
    expect(queue.when('task.releaseSession', gone).types).toEqual(['TaskReleased']);
    expect(queue.place(id, 'bob').refusal?.code).toBe('NOT_ASSIGNABLE');
    expect(queue.advance(0)).toEqual(['TaskExpired']);
  });
});

describe('deadline', () => {
  const exceeded = {
    status: 'failed',
    error: { code: 'DEADLINE_EXCEEDED' },
    deadLettered: false,
    reason: 'deadline',
  };

  it.each(['assigned', 'running'])('ends a task that is %s, and its lease', (status) => {
    const queue = new Queue();
    const id = queue.create({ deadline: after(queue, SECOND) });
    const lease = queue.assign(id);
    if (status === 'running') queue.report('start', id, lease);
    expect(queue.advance(SECOND - 1)).toEqual([]);
    expect(queue.advance(1)).toEqual(['TaskExpired']);
    expect(queue.log.at(-1)?.event.data).toMatchObject({ agentId: 'ada' });
    expect(queue.record(id)).toMatchObject({ ...exceeded, assignedTo: 'ada' });
    for (const verb of ['start', 'heartbeat', 'progress', 'complete', 'fail']) {
      expect(queue.report(verb, id, lease, { ...boom, result: 1 }).refusal?.code).toBe(
        'STALE_LEASE',
      );
    }
  });

  it('takes no report that comes when it has passed, be it before it was noticed', () => {
    const queue = new Queue();
    const id = queue.create({ deadline: after(queue, SECOND) });
    const lease = queue.assign(id);
    queue.now += SECOND;
    expect(queue.report('complete', id, lease).refusal?.code).toBe('STALE_LEASE');
    expect(queue.place(queue.create({ deadline: after(queue, 1) })).task).toBeDefined();
  });

  it('ends a task that waits, whatever for, and blocks what depends on it', () => {
    const queue = new Queue();
    const deadline = after(queue, SECOND);
    const first = queue.create({ deadline, autoRoute: false });
    const waiting = queue.create({ deadline, dependencies: [first] });
    const planned = queue.create({ deadline: after(queue, 2 * SECOND), delayMs: SECOND });
    const dependent = queue.create({ dependencies: [planned] });
    const types = [...queue.advance(SECOND)].sort();
    expect(types).toEqual(['TaskDue', 'TaskExpired', 'TaskExpired']);
    expect(queue.advance(SECOND)).toEqual(['TaskExpired', 'TaskBlocked']);
    for (const id of [first, waiting, planned]) expect(queue.record(id)).toMatchObject(exceeded);
    expect(queue.record(dependent)).toMatchObject({ status: 'blocked', reason: planned });
  });

  it('ends a blocked task, also one whose planned time had not come', () => {
    const queue = new Queue();
    const cancelled = queue.create();
    const times = { deadline: after(queue, SECOND), delayMs: 500 };
    const id = queue.create({ ...times, dependencies: [cancelled] });
    queue.when('task.cancel', { taskId: cancelled });
    expect(queue.advance(SECOND)).toEqual(['TaskBlocked', 'TaskExpired']);
    expect(queue.record(id)).toMatchObject(exceeded);
  });

  it('passes while the partition is closed', () => {
    const queue = new Queue();
    const id = queue.create({ deadline: after(queue, SECOND) });
    queue.report('start', id, queue.assign(id));
    queue.now += 2 * SECOND;
    queue.given(opened);
    expect(queue.advance(0)).toEqual(['TaskExpired']);
  });

  it('and other ends: the earliest counts', () => {
    const queue = new Queue();
    const deadline = after(queue, 10 * SECOND);
    const id = queue.create({ deadline, startToCloseMs: SECOND, maxAttempts: 1 });
    queue.report('start', id, queue.assign(id));
    expect(queue.advance(10 * SECOND)).toEqual(['TaskFailed']);
    expect(queue.record(id).error?.code).toBe('TIMED_OUT');
  });
});

describe('contradictory times', () => {
  const refusalOf = (queue: Queue, fields: object): (string | undefined)[] => {
    const { refusal } = queue.tryCreate({ ...fields });
    return [refusal?.code, refusal?.field];
  };

  it.each(['deadline', 'retryUntil'])('are a %s that has passed, or a delay up to it', (name) => {
    const queue = new Queue();
    const soon = { [name]: after(queue, SECOND) };
    expect(refusalOf(queue, { [name]: after(queue, 0) })).toEqual(['CONTRADICTORY_TIMES', name]);
    expect(refusalOf(queue, { ...soon, delayMs: SECOND })).toEqual([
      'CONTRADICTORY_TIMES',
      'delayMs',
    ]);
    expect(refusalOf(queue, { ...soon, delayMs: SECOND - 1 })).toEqual([undefined, undefined]);
  });

  it('do not refuse the repeat of a create that was accepted in time', () => {
    const queue = new Queue();
    const id = queue.newId();
    const fields = { deadline: after(queue, SECOND), idempotencyKey: 'k' };
    queue.create(fields, id);
    queue.advance(2 * SECOND);
    expect(queue.tryCreate(fields, id)).toMatchObject({ types: [], answer: { taskId: id } });
    expect(queue.tryCreate(fields)).toMatchObject({ types: [], answer: { taskId: id } });
  });
});

describe('timers', () => {
  it('that stand no more do not pile up', () => {
    const queue = new Queue();
    const deadline = after(queue, 366 * 24 * 3_600_000);
    for (let n = 0; n < 3_000; n++) {
      queue.when('task.cancel', { taskId: queue.create({ deadline }) });
    }
    expect(queue.state.timers.length).toBeLessThanOrEqual(1_002);
  });
});
