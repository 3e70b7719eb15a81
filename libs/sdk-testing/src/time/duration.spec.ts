import { describe, expect, it } from '@jest/globals';
import { type Duration, milliseconds } from './duration.js';

describe('a duration', () => {
  it.each<[Duration, number]>([
    [250, 250],
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
  ])('%s is %d ms', (duration, ms) => expect(milliseconds(duration)).toBe(ms));

  it.each(['5', '5 m', 'm', '-1s', -1, Number.NaN])('%s is none', (text) =>
    expect(() => milliseconds(text as Duration)).toThrow(RangeError),
  );
});
