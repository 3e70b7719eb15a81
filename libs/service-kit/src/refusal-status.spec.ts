import { expect, it } from '@jest/globals';
import { allRefusals, type RefusalKind } from '@athena/operation';
import { statusOfCode, statusOfKind } from './refusal-status.js';

it.each<[RefusalKind, number]>([
  ['invalid', 400],
  ['unauthenticated', 401],
  ['forbidden', 403],
  ['not_found', 404],
  ['conflict', 409],
  ['too_large', 413],
  ['mismatch', 422],
  ['limit', 429],
  ['internal', 500],
  ['unavailable', 503],
])('%s is %i', (kind, status) => {
  expect(statusOfKind(kind)).toBe(status);
});

it('every declared refusal has the status of its kind; what nobody declared is internal', () => {
  for (const { code, kind } of allRefusals()) expect(statusOfCode(code)).toBe(statusOfKind(kind));
  expect(statusOfCode('MADE_UP')).toBe(500);
});
