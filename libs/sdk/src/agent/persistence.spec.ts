import { describe, expect, it } from '@jest/globals';
import { clientError } from '../errors.js';
import { ATTEMPT_FIRST_MS } from '../limits.js';
import { persist } from './persistence.js';

const connected = { connected: true, whenConnected: async () => {} };
const passing = (code: 'NO_RESPONDERS' | 'TIMEOUT') => clientError(code, '', { retryable: true });

describe('a report that has to arrive', () => {
  it('is asked again soon after an outage: only time-outs make it more patient', async () => {
    const outcomes = [
      passing('NO_RESPONDERS'),
      passing('TIMEOUT'),
      passing('TIMEOUT'),
      passing('NO_RESPONDERS'),
    ];
    const given: number[] = [];
    const troubles: unknown[] = [];
    const { signal } = new AbortController();

    const answer = await persist(
      { channel: connected, signal, onTrouble: (error) => troubles.push(error) },
      async (timeoutMs) => {
        given.push(timeoutMs);
        const outcome = outcomes.shift();
        if (outcome) throw outcome;
        return 'noted';
      },
    );

    expect(answer).toBe('noted');
    expect(troubles).toHaveLength(4);
    const first = ATTEMPT_FIRST_MS;
    expect(given).toEqual([first, first, 2 * first, 4 * first, first]);
  });
});
