import { NonRetryable } from '@athena/sdk';
import { describe, expect, it } from '@jest/globals';
import { stdinOf } from './stdin.js';

const content = { text: 'two\n"lines" ünï', list: [1, null], nothing: null };

describe('what a command reads', () => {
  it('is all of the content as JSON', () => {
    expect(stdinOf(content, undefined)).toBe(`${JSON.stringify(content)}\n`);
    expect(stdinOf(null, undefined)).toBe('null\n');
  });

  it.each([
    ['text', content.text],
    ['list', '[1,null]\n'],
    ['nothing', 'null\n'],
  ])('is the field %s, a text as it is', (field, stdin) => {
    expect(stdinOf(content, field)).toBe(stdin);
  });

  it.each([[content], [null], [4711], ['text']])(
    'of %j is never a field that is not there',
    (of) => {
      for (const field of ['other', 'toString', '0']) {
        expect(() => stdinOf(of, field)).toThrow(NonRetryable);
      }
    },
  );
});
