import { describe, expect, it } from '@jest/globals';
import {
  cancelTask,
  createKey,
  createTask,
  createTasks,
  dispatchTask,
  getTask,
} from '@athena/contracts';
import { withIdempotencyKey } from './idempotency.js';

const task = { taskType: 'x', content: 1 };

describe('an idempotency key', () => {
  it.each([
    [createTask, task],
    [createTasks, { tasks: [task] }],
  ])('is made for a create and put into its input', (operation, input) => {
    const prepared = withIdempotencyKey(operation, input, undefined);
    expect(prepared).toMatchObject({ input, repeatable: true, key: undefined });
    expect(prepared.input).toHaveProperty(
      'idempotencyKey',
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    );
  });

  it('of a dispatch belongs to the task inside', () => {
    const { input } = withIdempotencyKey(dispatchTask, { task }, 'mine');
    expect(input).toEqual({ task: { ...task, idempotencyKey: 'mine' } });
  });

  it('that the caller gave wins', () => {
    const own = { ...task, idempotencyKey: 'of-the-input' };
    expect(withIdempotencyKey(createTask, own, undefined).input).toEqual(own);
    expect(withIdempotencyKey(createTask, own, 'asked').input).toEqual({
      ...task,
      idempotencyKey: 'asked',
    });
  });

  it('travels beside an input that has no place for it, and makes no promise', () => {
    const input = { name: 'n', scopes: ['agent'] };
    expect(withIdempotencyKey(createKey, input, 'k')).toEqual({
      input,
      key: 'k',
      repeatable: false,
    });
  });

  it('is not needed where a repeat changes nothing', () => {
    for (const operation of [cancelTask, getTask]) {
      expect(withIdempotencyKey(operation, {}, undefined)).toMatchObject({
        key: undefined,
        repeatable: true,
      });
    }
  });
});
