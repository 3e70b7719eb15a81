import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 15_000;
const POLL_MS = 20;

/**
 * Waits until something is so that comes about by itself.
 * @param what What is waited for, or how it stands; default: the source of the question
 * @throws Error that tells it, after `ms`
 */
export async function until(
  reached: () => boolean | Promise<boolean>,
  what: string | (() => string) = String(reached),
  ms = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + ms;
  while (!(await reached())) {
    if (performance.now() > end) {
      throw new Error(`not so within ${ms} ms: ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(POLL_MS);
  }
}
