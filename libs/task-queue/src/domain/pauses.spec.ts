import { limits, type QueuePauses } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import { Queue } from './queue.scenario.js';

const pausesOf = (queue: Queue): QueuePauses => queue.when('queue.paused', {}).answer as never;

describe('a pause', () => {
  it('is told with who made it and since when, and ends', () => {
    const queue = new Queue();
    const { types, answer } = queue.when('queue.pause', { taskType: 'report' });
    expect(types).toEqual(['QueuePaused']);
    const [report] = (answer as QueuePauses).taskTypes;
    expect(report).toEqual({
      taskType: 'report',
      by: expect.stringMatching(/^key:/),
      since: expect.stringMatching(/^20/),
    });
    expect(pausesOf(queue)).toEqual({ project: null, taskTypes: [report] });

    const { since } = (queue.when('queue.pause', {}).answer as QueuePauses).project as {
      since: string;
    };
    expect(pausesOf(queue)).toMatchObject({ project: { since }, taskTypes: [report] });
    expect(queue.when('queue.resume', {}).types).toEqual(['QueueResumed']);
    expect(pausesOf(queue)).toEqual({ project: null, taskTypes: [report] });
    queue.when('queue.resume', { taskType: 'report' });
    expect(pausesOf(queue)).toEqual({ project: null, taskTypes: [] });
  });

  it('twice is once, and so is its end', () => {
    const queue = new Queue();
    const first = queue.when('queue.pause', {});
    queue.now += 1_000;
    const again = queue.when('queue.pause', {});
    expect([again.types, again.answer]).toEqual([[], first.answer]);
    queue.when('queue.resume', {});
    expect(queue.when('queue.resume', {}).types).toEqual([]);
    expect(queue.when('queue.resume', { taskType: 'never' }).types).toEqual([]);
  });

  it('is of one project', () => {
    const queue = new Queue();
    queue.when('queue.pause', {}, { project: 'another' });
    expect(pausesOf(queue).project).toBeNull();
  });

  it('can be of so many types', () => {
    const queue = new Queue();
    for (let n = 0; n < limits.PAUSED_TYPES_MAX; n++) {
      queue.when('queue.pause', { taskType: `type${n}` });
    }
    expect(queue.when('queue.pause', { taskType: 'more' }).refusal?.code).toBe('TOO_MANY_PAUSES');
    expect(queue.when('queue.pause', { taskType: 'type0' }).types).toEqual([]);
    expect(queue.when('queue.pause', {}).types).toEqual(['QueuePaused']);
  });

  it('hinders neither creation nor what runs', () => {
    const queue = new Queue();
    const id = queue.create();
    const lease = queue.assign(id);
    queue.when('queue.pause', {});
    expect(queue.record(queue.create()).reason).toBeNull();
    queue.report('start', id, lease);
    expect(queue.report('complete', id, lease, { result: 1 }).types).toEqual(['TaskCompleted']);
  });
});

describe('another priority', () => {
  it('is recorded once', () => {
    const queue = new Queue();
    const id = queue.create();
    const { types, answer } = queue.when('task.reprioritise', { taskId: id, priority: 'high' });
    expect(types).toEqual(['TaskReprioritised']);
    expect(answer).toEqual({ taskId: id, status: 'pending', priority: 'high' });
    expect(queue.record(id).priority).toBe('high');
    const again = queue.when('task.reprioritise', { taskId: id, priority: 'high' });
    expect([again.types, again.answer]).toEqual([[], answer]);
  });

  it('is for tasks that are not finished', () => {
    const queue = new Queue();
    const running = queue.create();
    queue.assign(running);
    const lower = { taskId: running, priority: 'low' };
    expect(queue.when('task.reprioritise', lower).types).toEqual(['TaskReprioritised']);
    queue.when('task.cancel', { taskId: running });
    const refused = queue.when('task.reprioritise', { taskId: running, priority: 'high' });
    expect(refused.refusal?.code).toBe('ILLEGAL_TRANSITION');
  });
});
