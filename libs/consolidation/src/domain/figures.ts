import type { AttemptFigures } from '@athena/contracts';

/** A group of finished attempts as counted. */
export interface CountedAttempts {
  readonly attempts: number;
  readonly completed: number;
  readonly failed: number;
  readonly lost: number;
  /** Attempts that were not their task's first. */
  readonly repeats: number;
  /** At 0.5, 0.95 and 0.99, milliseconds; null where nothing was measured. */
  readonly wait_ms: readonly number[] | null;
  readonly run_ms: readonly number[] | null;
}

const MINUTE_MS = 60_000;

const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

const percentiles = (values: readonly number[] | null): AttemptFigures['waitMs'] => ({
  p50: values?.[0] ?? null,
  p95: values?.[1] ?? null,
  p99: values?.[2] ?? null,
});

/** @param overMs the time that the attempts are counted over */
export const figuresOf = (counted: CountedAttempts, overMs: number): AttemptFigures => ({
  attempts: counted.attempts,
  completed: counted.completed,
  failed: counted.failed,
  lost: counted.lost,
  successRate: ratio(counted.completed, counted.completed + counted.failed),
  retryRate: ratio(counted.repeats, counted.attempts),
  completedPerMinute: ratio(counted.completed, overMs / MINUTE_MS),
  waitMs: percentiles(counted.wait_ms),
  runMs: percentiles(counted.run_ms),
});
