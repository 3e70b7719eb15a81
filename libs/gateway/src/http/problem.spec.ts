import { describe, expect, it } from '@jest/globals';
import { OVERLOADED, Refused, UNAUTHENTICATED, refuse } from '@athena/operation';
import { problemHeaders, problemOf, refusalOf } from './problem.js';

describe('a problem', () => {
  it('of an unexpected error shows nothing of it', () => {
    const error = new Error('SELECT secret FROM /etc/passwd');
    const problem = problemOf(refusalOf(error), 'r1');

    expect(problem).toMatchObject({ status: 500, code: 'INTERNAL', requestId: 'r1' });
    expect(JSON.stringify(problem)).not.toMatch(/SELECT|passwd|Error:/);
  });

  it('of a refusal carries its own detail and field', () => {
    const refused = new Refused({ ...refuse(OVERLOADED, 'too much'), field: 'tasks.0' });
    expect(problemOf(refusalOf(refused), 'r1')).toMatchObject({
      status: 429,
      detail: 'too much',
      field: 'tasks.0',
      retryable: true,
    });
  });

  it('of a code that nobody declared is an internal one', () => {
    expect(problemOf({ code: 'NEW', detail: 'd', retryable: false }, 'r1').status).toBe(500);
  });

  it('brings the headers that its status calls for', () => {
    const headersOf = (definition: typeof OVERLOADED) =>
      problemHeaders(problemOf(refuse(definition, ''), 'r1'));
    expect(headersOf(OVERLOADED)).toHaveProperty('retry-after');
    expect(headersOf(UNAUTHENTICATED)).toHaveProperty('www-authenticate');
  });
});
