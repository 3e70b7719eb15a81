import { findRefusal } from '@athena/operation';
import { sleep } from './abort.js';
import { AthenaError } from './errors.js';
import { ATTEMPT_FIRST_MS, ATTEMPT_MS_MAX, RETRY_FIRST_MS, RETRY_MS_MAX } from './limits.js';
import { type Surroundings, systemSurroundings } from './surroundings.js';

export interface Retrying {
  /** A second execution of the same request does no harm. */
  readonly repeatable: boolean;
  /** No retry begins after this long. */
  readonly budgetMs: number;
  /** For how long the request asks the platform to wait before it answers. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly surroundings?: Pick<Surroundings, 'time' | 'random'>;
}

/**
 * Whether the platform may answer otherwise in a moment. A refusal such as NOT_ASSIGNABLE may be
 * retried too, but by whoever knows what it waits for; only passing troubles are retried unasked.
 */
export function isPassing(error: unknown): error is AthenaError {
  if (!(error instanceof AthenaError) || !error.retryable) return false;
  const kind = findRefusal(error.code)?.kind;
  return kind === undefined || kind === 'unavailable' || kind === 'limit';
}

/** Exponential, with full jitter: attempt 0 waits up to 100 ms, later ones up to RETRY_MS_MAX. */
export function retryDelayMs(attempt: number, random: number): number {
  const top = Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** (attempt + 1));
  return RETRY_FIRST_MS / 2 + random * (top - RETRY_FIRST_MS / 2);
}

/**
 * How long one try waits for its answer. Whoever took the request may have died with it, and NATS
 * doesn't tell: what is harmless to repeat is asked again soon, but less and less often, because
 * the platform may just be slow. Only tries that waited in vain say so: `timeouts` counts those
 * since the last one that was refused at once, as all are while the platform is away.
 */
export const attemptTimeoutMs = (timeouts: number, repeatable: boolean): number =>
  repeatable ? Math.min(ATTEMPT_MS_MAX, ATTEMPT_FIRST_MS * 2 ** timeouts) : ATTEMPT_MS_MAX;

export const isTimeout = (error: unknown): boolean =>
  error instanceof AthenaError && error.code === 'TIMEOUT';

/** @throws the last AthenaError once it is not to be retried or the budget is spent. */
export async function retrying<T>(
  { repeatable, budgetMs, waitMs = 0, signal, surroundings = systemSurroundings }: Retrying,
  attemptOnce: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const { time, random } = surroundings;
  const end = time.now() + budgetMs;
  let timeouts = 0;
  for (let attempt = 0; ; attempt += 1) {
    signal?.throwIfAborted();
    try {
      const remainingMs = Math.max(1, end - time.now());
      return await attemptOnce(
        Math.min(remainingMs, attemptTimeoutMs(timeouts, repeatable) + waitMs),
      );
    } catch (error) {
      timeouts = isTimeout(error) ? timeouts + 1 : 0;
      if (!isPassing(error) || (error.outcomeUnknown && !repeatable)) throw error;
      const delay = Math.max(error.retryAfterMs ?? 0, retryDelayMs(attempt, random()));
      if (time.now() + delay >= end) throw error;
      await sleep(time, delay, signal);
    }
  }
}
