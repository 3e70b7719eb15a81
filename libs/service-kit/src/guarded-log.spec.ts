import { expect, it } from '@jest/globals';
import { FIRST_PREV, MemoryLog, encodeCommit, subjectOf } from '@athena/event-log';
import { GuardedLog } from './guarded-log.js';

const SUBJECT = subjectOf('task.0');
const header = { athena: 1, partition: 'task.0', epoch: 1, rev: 1, at: '2026-01-01T00:00:00.000Z' };
const event = { type: 'Added', v: 1, project: 'p', id: 'a', data: {} };
const payload = encodeCommit({ ...header, athena: 1, prev: FIRST_PREV, count: 1 }, [
  JSON.stringify(event),
]);

it('takes nothing while the stream differs, says what differs, and can be read meanwhile', async () => {
  const log = new GuardedLog(new MemoryLog());
  await log.append(SUBJECT, payload, 0);
  log.drift = [{ field: 'max_age', expected: 0, found: 5 }];

  await expect(log.append(SUBJECT, payload, 1)).rejects.toThrow(/max_age/);

  expect(await log.endSeq()).toBe(1);
  const read = [];
  for await (const commits of log.read({ from: 1 })) read.push(...commits);
  expect(read.map(({ seq }) => seq)).toEqual([1]);
  log.drift = [];
  expect(await log.append(SUBJECT, payload, 1)).toBe(2);
});
