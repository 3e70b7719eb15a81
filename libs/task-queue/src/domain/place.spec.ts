import { describe, expect, it } from '@jest/globals';
import { Queue } from './queue.scenario.js';

describe('a placement that comes twice', () => {
  it('is not carried out again when the task is back', () => {
    const queue = new Queue();
    const taskId = queue.create();
    const first = { assignment: 1 };
    const lease = queue.assign(taskId, 'ada', 1, first);
    expect(queue.place(taskId, 'ada', 1, first).task?.lease).toBe(lease);
    queue.report('fail', taskId, lease, { error: { message: 'boom' }, shouldRetry: true });
    queue.advance(60_000);
    expect(queue.place(taskId, 'ada', 1, first).refusal?.code).toBe('NOT_ASSIGNABLE');
    expect(queue.place(taskId, 'ada', 1, { assignment: 2 }).task).toMatchObject({ attempt: 2 });
  });
});
