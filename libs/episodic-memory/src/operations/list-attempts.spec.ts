import { describe, expect, it } from '@jest/globals';
import { attemptsOf } from './list-attempts.js';
import type { TaskHistory } from './task-history.js';

const AT = Date.parse('2026-03-01T12:00:00.000Z');
const at = (ms: number): string => new Date(AT + ms).toISOString();
const ADA = { agentId: 'ada-1', kind: 'ada' };
const error = { message: 'boom', code: 'E' };

const told = (...events: [ms: number, type: string, data: object][]): TaskHistory =>
  events.map(([ms, type, data], n) => ({
    ...{ position: `${n}.0`, type, version: 1, at: at(ms), actor: null, correlation: null, data },
  }));

describe('the attempts of a task', () => {
  it('tell who tried when, and how each ended', () => {
    const attempts = attemptsOf(
      told(
        [0, 'TaskCreated', {}],
        [10, 'TaskAssigned', { ...ADA, attempt: 1 }],
        [40, 'TaskReleased', { agentId: 'ada-1', attempt: 1, reason: 'not_started' }],
        [50, 'TaskAssigned', { ...ADA, attempt: 1 }],
        [60, 'TaskStarted', { agentId: 'ada-1', attempt: 1 }],
        [90, 'AttemptFailed', { ...ADA, attempt: 1, error, durationMs: 25 }],
        [100, 'TaskAssigned', { ...ADA, attempt: 2 }],
        [110, 'TaskStarted', { agentId: 'ada-1', attempt: 2 }],
        [200, 'TaskFailed', { ...ADA, attempt: 2, error, durationMs: 90, lost: true }],
        [900, 'TaskAssigned', { ...ADA, attempt: 3 }],
        [920, 'TaskCancelled', { agentId: 'ada-1' }],
        [990, 'TaskAssigned', { ...ADA, attempt: 4 }],
      ),
    );
    const started = (ms: number): object => ({ startedAt: at(ms) });
    expect(attempts).toMatchObject([
      { attempt: 1, outcome: 'not_started', startedAt: null, durationMs: 30, error: null },
      { attempt: 1, outcome: 'failed', ...started(60), endedAt: at(90), durationMs: 25, error },
      { attempt: 2, outcome: 'lost', ...started(110), durationMs: 90, error },
      { attempt: 3, outcome: 'cancelled', startedAt: null, durationMs: 20 },
      { attempt: 4, outcome: null, assignedAt: at(990), endedAt: null, durationMs: null },
    ]);
  });

  it('are none before the first, and end with the task only where one is under way', () => {
    expect(attemptsOf(told([0, 'TaskCreated', {}], [9, 'TaskCancelled', {}]))).toEqual([]);
  });
});
