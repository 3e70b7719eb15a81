import { describe, expect, it } from '@jest/globals';
import { NOT_ASSIGNABLE } from '@athena/contracts';
import { OUTCOME_UNKNOWN, OVERLOADED, type RefusalDefinition } from '@athena/operation';
import { AthenaError, clientError } from './errors.js';
import { ATTEMPT_FIRST_MS, ATTEMPT_MS_MAX, RETRY_MS_MAX } from './limits.js';
import { attemptTimeoutMs, isPassing, retryDelayMs, retrying } from './retry.js';

const errorOf = ({ code, retryable }: RefusalDefinition) =>
  new AthenaError(code, 'said the spec', {
    retryable,
    outcomeUnknown: code === OUTCOME_UNKNOWN.code,
  });

describe('a retry', () => {
  const failing = (error: Error, times: number) => {
    let calls = 0;
    return {
      attempt: async () => {
        calls += 1;
        if (calls <= times) throw error;
        return calls;
      },
      calls: () => calls,
    };
  };

  it('follows a refusal that may pass', async () => {
    const { attempt } = failing(errorOf(OVERLOADED), 2);
    expect(await retrying({ repeatable: false, budgetMs: 5_000 }, attempt)).toBe(3);
  });

  it('does not follow what may have happened, unless a repeat is harmless', async () => {
    const unknown = errorOf(OUTCOME_UNKNOWN);
    const once = failing(unknown, 1);
    const call = retrying({ repeatable: false, budgetMs: 5_000 }, once.attempt);
    await expect(call).rejects.toBe(unknown);
    const twice = failing(unknown, 1);
    expect(await retrying({ repeatable: true, budgetMs: 5_000 }, twice.attempt)).toBe(2);
  });

  it('does not follow a refusal that somebody else has to resolve', () => {
    expect(NOT_ASSIGNABLE.retryable).toBe(true);
    expect(isPassing(errorOf(NOT_ASSIGNABLE))).toBe(false);
    expect(isPassing(clientError('NO_RESPONDERS', '', { retryable: true }))).toBe(true);
  });

  it('comes not sooner than the platform asks', async () => {
    const slow = new AthenaError('OVERLOADED', '', { retryable: true, retryAfterMs: 150 });
    const begun = performance.now();
    await retrying({ repeatable: true, budgetMs: 5_000 }, failing(slow, 1).attempt);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(149);
  });

  it('gives what may be repeated little time first, and everything else all of it', () => {
    const tries = [0, 1, 2, 3, 9].map((attempt) => attemptTimeoutMs(attempt, true));
    expect(tries).toEqual([3_000, 6_000, 12_000, ATTEMPT_MS_MAX, ATTEMPT_MS_MAX]);
    expect(attemptTimeoutMs(0, false)).toBe(ATTEMPT_MS_MAX);
  });

  it('does not wait longer for an answer because tries were refused at once before', async () => {
    const given: number[] = [];
    const away = clientError('NO_RESPONDERS', '', { retryable: true });
    const late = clientError('TIMEOUT', '', { retryable: true });
    await retrying({ repeatable: true, budgetMs: 60_000 }, async (timeoutMs) => {
      given.push(timeoutMs);
      if (given.length < 3) throw away;
      if (given.length === 3) throw late;
    });
    const first = ATTEMPT_FIRST_MS;
    expect(given).toEqual([first, first, first, 2 * first]);
  });

  it('waits longer from time to time, but never longer than its limit', () => {
    const latest = [0, 1, 2, 3, 20].map((attempt) => retryDelayMs(attempt, 1));
    expect(latest).toEqual([100, 200, 400, 800, RETRY_MS_MAX]);
    expect(retryDelayMs(20, 0)).toBe(25);
  });
});
