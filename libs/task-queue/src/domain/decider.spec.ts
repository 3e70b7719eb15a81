import { createTask, limits, type ClaimedTask } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import { backoffMs } from './attempt.js';
import { Queue } from './queue.scenario.js';

const failure = (shouldRetry = true): object => ({ error: { message: 'boom' }, shouldRetry });

describe('creating a task', () => {
  it('is pending and answers with the proposed id', () => {
    const queue = new Queue();
    const id = queue.newId();
    const { answer, types } = queue.tryCreate({}, id);
    expect(types).toEqual(['TaskCreated']);
    expect(answer).toMatchObject({ taskId: id, status: 'pending', created: true });
    expect(queue.record(id)).toMatchObject({ status: 'pending', priority: 'medium', attempt: 0 });
  });

  it('twice is once, by command id and by idempotency key', () => {
    const queue = new Queue();
    const id = queue.create({ idempotencyKey: 'k1' });
    expect(queue.tryCreate({ idempotencyKey: 'k1' }, id).types).toEqual([]);
    const again = queue.tryCreate({ idempotencyKey: 'k1' });
    expect(again.types).toEqual([]);
    expect(again.answer).toMatchObject({ taskId: id, created: false });
  });

  it('refuses a used idempotency key with another input', () => {
    const queue = new Queue();
    queue.create({ idempotencyKey: 'k1' });
    const other = queue.tryCreate({ idempotencyKey: 'k1', content: 'other' });
    expect(other.refusal?.code).toBe('IDEMPOTENCY_MISMATCH');
  });

  it('forgets idempotency keys after the window', () => {
    const queue = new Queue();
    queue.create({ idempotencyKey: 'k1' });
    queue.advance(limits.IDEMPOTENCY_WINDOW_MS + 1);
    queue.create({ idempotencyKey: 'k2' });
    expect(queue.tryCreate({ idempotencyKey: 'k1' }).types).toEqual(['TaskCreated']);
  });

  it('waits until its planned time', () => {
    const queue = new Queue();
    const id = queue.create({ delayMs: 5_000 });
    expect(queue.record(id).reason).toBe('scheduled');
    expect(queue.place(id).refusal?.code).toBe('NOT_ASSIGNABLE');
    expect(queue.advance(5_000)).toEqual(['TaskDue']);
    expect(queue.record(id).reason).toBeNull();
  });

  it('asks the read model about ids from before its owner loaded a checkpoint', () => {
    const queue = new Queue();
    queue.decider.reindex(queue.state);
    queue.given({ type: 'PartitionOpened', v: 1, project: '', id: 'task.0', data: {} });
    const { decision: needs } = queue.tryCreate({}, queue.newId());
    expect(needs).toEqual({ needs: [expect.any(String)] });
  });

  it('asks nobody where its owner has followed, and knows what finished meanwhile', () => {
    const queue = new Queue();
    queue.decider.reindex(queue.state);
    queue.given({ type: 'ClocksRestarted', v: 1, project: '', id: 'task.0', data: {} });
    queue.now += 10_000;
    const [finished, lost] = [queue.create(), queue.newId()];
    queue.report('complete', finished, queue.assign(finished));
    queue.given({ type: 'PartitionOpened', v: 1, project: '', id: 'task.0', data: {} });
    expect(queue.tryCreate({}, finished).types).toEqual([]);
    expect(queue.tryCreate({}, lost).types).toEqual(['TaskCreated']);
  });
});

describe('dependencies', () => {
  it('are waited for, and told when the last one completed', () => {
    const queue = new Queue();
    const [a, b] = [queue.create(), queue.create()];
    const c = queue.create({ dependencies: [a, b] });
    expect(queue.record(c).reason).toBe('dependencies');
    queue.report('complete', a, queue.assign(a));
    expect(queue.advance(0)).toEqual(['DependencyCompleted']);
    expect(queue.place(c).refusal?.code).toBe('NOT_ASSIGNABLE');
    queue.report('complete', b, queue.assign(b));
    queue.advance(0);
    expect(queue.place(c).task?.taskId).toBe(c);
  });

  it('block their dependents transitively when they fail, with the cause named', () => {
    const queue = new Queue();
    const a = queue.create();
    const b = queue.create({ dependencies: [a] });
    const c = queue.create({ dependencies: [b] });
    queue.report('fail', a, queue.assign(a), failure(false));
    queue.advance(0);
    expect(queue.record(b)).toMatchObject({ status: 'blocked', reason: a });
    expect(queue.record(c)).toMatchObject({ status: 'blocked', reason: a });
  });

  it('that failed or are blocked already block from the start', () => {
    const queue = new Queue();
    const a = queue.create();
    queue.when('task.cancel', { taskId: a });
    const b = queue.create({ dependencies: [a] });
    const c = queue.create({ dependencies: [b] });
    expect(queue.record(b)).toMatchObject({ status: 'blocked', reason: a });
    expect(queue.record(c)).toMatchObject({ status: 'blocked', reason: a });
  });

  it('that completed already are not waited for', () => {
    const queue = new Queue();
    const a = queue.create();
    queue.report('complete', a, queue.assign(a));
    expect(queue.record(queue.create({ dependencies: [a] })).reason).toBeNull();
  });

  it('that nobody knows are refused once the read model has been asked', () => {
    const queue = new Queue();
    const unknown = queue.newId();
    const input = createTask.input.parse({ content: 1, taskType: 't', dependencies: [unknown] });
    const id = queue.newId();
    expect(queue.when('task.create', input, { id }).decision).toEqual({ needs: [unknown] });
    const fetched = new Map([[unknown, null]]);
    const { refusal } = queue.when('task.create', input, { id, fetched });
    expect(refusal).toMatchObject({ code: 'UNKNOWN_DEPENDENCY', field: 'dependencies' });
  });

  it('of another project do not exist', () => {
    const queue = new Queue();
    const a = queue.create();
    const input = createTask.input.parse({ content: 1, taskType: 't', dependencies: [a] });
    const { refusal } = queue.when('task.create', input, { id: queue.newId(), project: 'other' });
    expect(refusal?.code).toBe('UNKNOWN_DEPENDENCY');
  });
});

describe('an attempt', () => {
  it('runs through assigned, running and completed', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    expect(queue.record(id)).toMatchObject({ status: 'assigned', assignedTo: 'ada', attempt: 1 });
    expect(queue.report('start', id, lease).types).toEqual(['TaskStarted']);
    queue.now += 40;
    expect(queue.report('complete', id, lease, { result: { n: 1 } }).types).toEqual([
      'TaskCompleted',
    ]);
    expect(queue.record(id)).toMatchObject({
      status: 'completed',
      success: true,
      result: { n: 1 },
      executionDurationMs: 40,
    });
  });

  it('is started by its completion where nobody said start', () => {
    const queue = new Queue();
    const id = queue.create();
    const { types } = queue.report('complete', id, queue.assign(id));
    expect(types).toEqual(['TaskStarted', 'TaskCompleted']);
  });

  it('completed twice is completed once; another result is refused', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    queue.report('complete', id, lease, { result: 1 });
    expect(queue.report('complete', id, lease, { result: 1 })).toMatchObject({
      types: [],
      answer: { status: 'completed' },
    });
    const other = queue.report('complete', id, lease, { result: 2 });
    expect(other.refusal?.code).toBe('ILLEGAL_TRANSITION');
    expect(queue.report('start', id, lease)).toMatchObject({ answer: { status: 'completed' } });
    expect(queue.report('complete', id, '0.9.9', { result: 1 }).refusal?.code).toBe('STALE_LEASE');
  });

  it.each(['start', 'progress', 'complete', 'fail', 'heartbeat'])(
    '%s is refused to anyone but the holder of the current lease',
    (verb) => {
      const queue = new Queue();
      const id = queue.create();
      const lease = queue.assign(id);
      const refusals = [
        queue.report(verb, id, '0.999.0', failure()),
        queue.report(verb, id, lease, failure(), 'mallory'),
        queue.when(`task.${verb}`, { taskId: id, ...failure() }, { actor: 'agent:ada' }),
        queue.when(`task.${verb}`, { taskId: id, ...failure() }, { actor: 'agent-key:k' }),
      ].map(({ refusal }) => refusal?.code);
      expect(refusals).toEqual(['STALE_LEASE', 'STALE_LEASE', 'STALE_LEASE', 'STALE_LEASE']);
      expect(queue.record(id).status).toBe('assigned');
    },
  );

  it('may be driven by an operator without the lease', () => {
    const queue = new Queue();
    const id = queue.create();
    expect(queue.when('task.start', { taskId: id }).refusal?.code).toBe('ILLEGAL_TRANSITION');
    queue.assign(id);
    expect(queue.when('task.complete', { taskId: id, result: 1 }).types).toContain('TaskCompleted');
  });

  it('that failed goes back to pending with backoff, then ends as a dead letter', () => {
    const queue = new Queue();
    const id = queue.create({ maxAttempts: 2 });
    const lease = queue.assign(id);
    expect(queue.report('fail', id, lease, failure()).types).toContain('AttemptFailed');
    expect(queue.record(id)).toMatchObject({
      status: 'pending',
      reason: 'backoff',
      retryCount: 1,
      assignedTo: null,
    });
    const repeated = queue.report('fail', id, lease, failure());
    expect(repeated).toMatchObject({ types: [], answer: { status: 'pending' } });
    queue.advance(limits.BACKOFF_FIRST_MS);
    queue.report('fail', id, queue.assign(id), failure());
    expect(queue.record(id)).toMatchObject({
      status: 'failed',
      deadLettered: true,
      error: { message: 'boom' },
    });
  });

  it('that must not be retried ends at once, without the dead-letter mark', () => {
    const queue = new Queue();
    const id = queue.create();
    queue.report('fail', id, queue.assign(id), failure(false));
    expect(queue.record(id)).toMatchObject({ status: 'failed', deadLettered: false });
  });

  it('that runs past its start-to-close limit counts as failed', () => {
    const queue = new Queue();
    const id = queue.create({ startToCloseMs: 1_000, maxAttempts: 1 });
    queue.report('start', id, queue.assign(id));
    expect(queue.advance(1_000)).toEqual(['TaskFailed']);
    expect(queue.record(id).error?.code).toBe('TIMED_OUT');
  });

  it('that is not started in time goes back without using up an attempt', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    expect(queue.advance(limits.ASSIGNED_NOT_STARTED_MS)).toEqual(['TaskReleased']);
    expect(queue.record(id)).toMatchObject({ status: 'pending', attempt: 0 });
    expect(queue.report('start', id, lease).refusal?.code).toBe('STALE_LEASE');
  });

  it('gets its time anew when an owner opens', () => {
    const queue = new Queue();
    const id = queue.create();
    queue.assign(id);
    queue.now += limits.ASSIGNED_NOT_STARTED_MS * 10;
    queue.given({ type: 'PartitionOpened', v: 1, project: '', id: 'task.0', data: {} });
    expect(queue.advance(limits.ASSIGNED_NOT_STARTED_MS - 1)).toEqual([]);
    expect(queue.advance(1)).toEqual(['TaskReleased']);
    expect(queue.record(id).status).toBe('pending');
  });

  it('loses its lease with its agent’s session, but not with an older one', () => {
    const queue = new Queue();
    const id = queue.create({ maxAttempts: 2 });
    const release = { partition: 0, agentId: 'ada', exclude: true };
    queue.assign(id, 'ada', 7);
    expect(queue.when('task.releaseSession', { ...release, session: 6 }).types).toEqual([]);
    expect(queue.when('task.releaseSession', { ...release, session: 7 }).types).toEqual([
      'TaskReleased',
    ]);
    queue.assign(id, 'ada', 8);
    queue.when('task.releaseSession', { ...release, session: 8 });
    expect(queue.record(id)).toMatchObject({ status: 'failed', deadLettered: true });
  });

  it('shows its progress until it ends', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    const half = { percent: 50, message: 'half' };
    expect(queue.report('progress', id, lease, half).types).toEqual([
      'TaskStarted',
      'TaskProgressed',
    ]);
    expect(queue.report('progress', id, lease, half).types).toEqual([]);
    expect(queue.record(id).progress).toEqual(half);
  });
});

describe('placing', () => {
  it('is refused to a router that was taken over', () => {
    const queue = new Queue();
    queue.when('task.openRouter', { router: 'r2' });
    const stale = queue.when('task.place', { partition: 0, routerEpoch: 1, placements: [] });
    expect(stale.refusal?.code).toBe('STALE_ROUTER');
  });

  it('gives a task to one agent only; the same again changes nothing', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    expect(queue.place(id, 'bob').refusal?.code).toBe('ALREADY_ASSIGNED');
    expect(queue.place(id).task?.lease).toBe(lease);
  });

  it('leaves tasks without autoRoute to an operator’s hand', () => {
    const queue = new Queue();
    const id = queue.create({ autoRoute: false });
    expect(queue.place(id).refusal?.code).toBe('NOT_ASSIGNABLE');
    expect(queue.place(id, 'ada', 1, { manual: true }).task?.taskId).toBe(id);
  });

  it('lists what an agent holds by claim', () => {
    const queue = new Queue();
    const [a, b] = [queue.create(), queue.create()];
    queue.assign(a, 'ada', 1, { claimId: 'c1' });
    queue.assign(b, 'ada', 1, { claimId: 'c2' });
    const held = (input: object): string[] =>
      (
        queue.when('task.held', { partition: 0, agentId: 'ada', limit: 9, ...input }).answer as {
          tasks: ClaimedTask[];
        }
      ).tasks.map(({ taskId }) => taskId);
    expect(held({})).toEqual([a, b]);
    expect(held({ claimId: 'c2' })).toEqual([b]);
  });
});

describe('cancelling', () => {
  it('tells the holder at its reports on other tasks, for a while', () => {
    const queue = new Queue();
    const [gone, stays, foreign] = [queue.create(), queue.create(), queue.create()];
    queue.assign(gone);
    queue.assign(foreign, 'bob');
    const lease = queue.assign(stays);
    queue.when('task.cancel', { taskId: gone });
    queue.when('task.cancel', { taskId: foreign });
    for (const verb of ['start', 'progress', 'heartbeat']) {
      expect(queue.report(verb, stays, lease).answer).toEqual({
        taskId: stays,
        status: 'running',
        cancelled: [gone],
      });
    }
    queue.now += limits.CANCELLED_TOLD_MS;
    expect(queue.report('heartbeat', stays, lease).answer).toMatchObject({ cancelled: [] });
  });

  it.each(['start', 'heartbeat', 'progress', 'complete', 'fail'])(
    'answers %s with the reason to stop',
    (verb) => {
      const queue = new Queue();
      const id = queue.create();
      const lease = queue.assign(id);
      queue.when('task.cancel', { taskId: id });
      expect(queue.report(verb, id, lease, failure()).refusal?.code).toBe('TASK_CANCELLED');
      expect(queue.report(verb, id, '0.0.0', failure()).refusal?.code).toBe('STALE_LEASE');
    },
  );

  it('ends the task, takes the lease and changes nothing the second time', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    expect(queue.when('task.cancel', { taskId: id }).types).toEqual(['TaskCancelled']);
    expect(queue.when('task.cancel', { taskId: id }).types).toEqual([]);
    expect(queue.report('complete', id, lease).refusal?.code).toBe('TASK_CANCELLED');
  });

  it('comes too late for what is finished', () => {
    const queue = new Queue();
    const id = queue.create();
    queue.report('complete', id, queue.assign(id));
    expect(queue.when('task.cancel', { taskId: id }).refusal?.code).toBe('ILLEGAL_TRANSITION');
  });
});

describe('waiting for a task', () => {
  it('parks until it is finished', () => {
    const queue = new Queue();
    const id = queue.create();
    const waiting = queue.when('task.get', { taskId: id, wait: 1_000 });
    expect(waiting.decision).toEqual({ park: id, until: queue.now + 1_000 });
    queue.report('complete', id, queue.assign(id));
    expect([...(queue.decider.takeWoken?.(queue.state) ?? [])]).toEqual([id]);
  });
});

describe('the backoff', () => {
  it('grows, has full jitter and a cap', () => {
    const waits = [1, 2, 3, 30].map((attempt) =>
      backoffMs({ options: undefined, id: 'x', attempt }),
    );
    const ceilings = [1_000, 2_000, 4_000, limits.BACKOFF_MS_MAX];
    waits.forEach((wait, i) => expect(wait).toBeLessThanOrEqual(ceilings[i] as number));
    expect(new Set(waits).size).toBe(4);
  });
});
