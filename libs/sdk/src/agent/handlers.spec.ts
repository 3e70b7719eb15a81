import { describe, expect, it } from '@jest/globals';
import { NonRetryable } from '../errors.js';
import { failureOf } from './handlers.js';

class BadPage extends NonRetryable {}

describe('an error that a handler throws', () => {
  it.each([
    ['is tried again', new Error('x'), true],
    ['is tried again, whatever it is', 'just text', true],
    ['is final as NonRetryable', new NonRetryable('x'), false],
    ['is final as a kind of it', new BadPage('x'), false],
    ['is final by its name', Object.assign(new Error('x'), { name: 'NonRetryable' }), false],
    ['is final by its flag', Object.assign(new Error('x'), { shouldRetry: false }), false],
  ])('%s', (_what, thrown, shouldRetry) => {
    expect(failureOf(thrown).shouldRetry).toBe(shouldRetry);
  });

  it('brings its code', () => {
    const thrown = new NonRetryable('no such page', { code: 'NO_PAGE' });
    expect(failureOf(thrown).error).toMatchObject({ message: 'no such page', code: 'NO_PAGE' });
  });
});
