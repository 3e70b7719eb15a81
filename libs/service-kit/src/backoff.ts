import { setTimeout as sleep } from 'node:timers/promises';

export interface RetrySettings {
  /** Told about every failure and when it is tried again. */
  readonly onFailure: (error: Error, retryInMs: number) => void;
  /** True: never mind, it is not wanted any more. */
  readonly stopped?: () => boolean;
  readonly firstMs?: number;
  readonly maxMs?: number;
}

const FIRST_MS = 250;
const MAX_MS = 2_000;

/** Tries until it succeeds, with growing pauses; null where it was stopped. */
export async function untilDone<T>(
  attempt: () => Promise<T>,
  { onFailure, stopped = () => false, firstMs = FIRST_MS, maxMs = MAX_MS }: RetrySettings,
): Promise<T | null> {
  for (let pause = firstMs; !stopped(); pause = Math.min(maxMs, pause * 2)) {
    try {
      return await attempt();
    } catch (error) {
      onFailure(error as Error, pause);
      await sleep(pause);
    }
  }
  return null;
}
