import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Recount } from './checks.mjs';

// What a sound system answers about two tasks; each test spoils one answer.
let events;
let listed;
let byStatus;
let verified;
beforeEach(() => {
  const of = (type, aggregateId) => ({ type, aggregateId, at: '2026-01-01T00:00:00.000Z' });
  events = ['a', 'b'].flatMap((id) => [of('TaskCreated', id), of('TaskCompleted', id)]);
  listed = ['a', 'b'].map((taskId) => ({ taskId, status: 'completed' }));
  byStatus = { completed: 2 };
  verified = { sound: true, to: 9, nextFrom: null, findings: [] };
});

function check() {
  let told = false;
  return new Recount({
    system: { health: async () => ({ seq: 9 }) },
    events: {
      timeline: async () => {
        const page = { events: told ? [] : events, nextAfter: 'x' };
        told = true;
        return page;
      },
    },
    tasks: {
      query: async () => ({ tasks: listed, nextCursor: null }),
      metrics: async () => ({ byStatus }),
    },
    log: { verify: async () => verified },
  }).check(['a', 'b']);
}

test('nothing is wrong with a sound history', async () => {
  assert.deepEqual(await check(), []);
});

test('a second outcome is found', async () => {
  events.push({ ...events[3], type: 'TaskFailed' });
  assert.match((await check())[0], /task b: .* outcomes \[completed,failed\]/);
});

test('a task without outcome is found', async () => {
  events.pop();
  assert.match((await check())[0], /task b: created 1 times, outcomes \[\]/);
});

test('a row that the log does not bear out is found', async () => {
  listed[0].status = 'running';
  assert.deepEqual(await check(), ['task a is listed as running, it is completed']);
});

test('figures that don’t add up are found', async () => {
  byStatus.completed = 3;
  assert.deepEqual(await check(), ['metrics say 3 completed, the log 2']);
});

test('an archive that differs from the log is found', async () => {
  verified = { ...verified, sound: false, findings: [{ seq: 4, flaw: 'archive_missing' }] };
  assert.deepEqual(await check(), ['log 4: archive_missing']);
});
