import { describe, expect, it } from '@jest/globals';
import { figuresOf } from './figures.js';

const none = { attempts: 0, completed: 0, failed: 0, lost: 0, repeats: 0 };

describe('figures', () => {
  it('are those worked out by hand', () => {
    // 6 ÷ (6 + 2) = 0.75; 3 ÷ 10 = 0.3; 6 in two minutes = 3 a minute.
    const counted = { attempts: 10, completed: 6, failed: 2, lost: 2, repeats: 3 };
    const times = { wait_ms: [1, 2, 3], run_ms: null };
    expect(figuresOf({ ...counted, ...times }, 120_000)).toEqual({
      attempts: 10,
      completed: 6,
      failed: 2,
      lost: 2,
      successRate: 0.75,
      retryRate: 0.3,
      completedPerMinute: 3,
      waitMs: { p50: 1, p95: 2, p99: 3 },
      runMs: { p50: null, p95: null, p99: null },
    });
  });

  it('have no rate of nothing', () => {
    expect(figuresOf({ ...none, wait_ms: null, run_ms: null }, 0)).toMatchObject({
      successRate: null,
      retryRate: null,
      completedPerMinute: null,
    });
  });
});
