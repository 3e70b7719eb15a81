import { expect, it } from '@jest/globals';
import { checkClock } from './gateway-checks.js';
import { checkNode } from './local-checks.js';
import { namesOutsideNats } from './nats-checks.js';
import { isAtLeast } from './versions.js';

it.each([
  ['2.12.0', true],
  ['v2.12.1-RC.1', true],
  ['3.0.0', true],
  ['2.11.9', false],
  ['two', false],
])('%s is at least 2.12: %s', (version, expected) => {
  expect(isAtLeast(version, [2, 12])).toBe(expected);
});

it('an old Node fails', () => {
  expect([checkNode('20.18.9').level, checkNode('22.0.0').level]).toEqual(['fail', 'ok']);
});

it.each([
  [900, 'ok', /agrees/],
  [-5_000, 'warn', /5s ahead of/],
  [120_000, 'fail', /2m 0s behind/],
])('clocks that are %d ms apart: %s', (ms, level, detail) => {
  expect(checkClock(ms)).toMatchObject({ level, detail: expect.stringMatching(detail) });
});

it('an address of NATS alone is no outside NATS for services', () => {
  expect(namesOutsideNats({ NATS_URL: 'nats://x' })).toBe(false);
  expect(namesOutsideNats({ NATS_URL: 'nats://x', ATHENA_NATS_USER: 'core' })).toBe(true);
});
