import { describe, expect, it } from '@jest/globals';
import {
  KEY_RANDOM_BYTES,
  formatApiKey,
  hashSecret,
  newApiKey,
  parseApiKey,
  secretMatches,
} from './api-key.js';

const bytes = (fill: (index: number) => number): Uint8Array =>
  Uint8Array.from({ length: KEY_RANDOM_BYTES }, (_, index) => fill(index));

describe('an API key', () => {
  it('survives being written and read', () => {
    const key = newApiKey(bytes((index) => index * 3));
    expect(parseApiKey(formatApiKey(key))).toEqual(key);
  });

  it('is never made from too little chance', () => {
    expect(() => newApiKey(bytes(() => 255))).toThrow(RangeError);
  });

  it.each([
    '',
    'ak_',
    `ak_${'a'.repeat(12)}_${'b'.repeat(31)}`,
    `ak_${'a'.repeat(12)}_${'ü'.repeat(32)}`,
  ])('has one form, and %j is none of it', (text) => expect(parseApiKey(text)).toBeNull());

  it('is proved by its secret alone', () => {
    const hash = hashSecret('right');
    expect(secretMatches('right', hash)).toBe(true);
    expect(secretMatches('wrong', hash)).toBe(false);
    expect(secretMatches('right', '')).toBe(false);
  });
});
