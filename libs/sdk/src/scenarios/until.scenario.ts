import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 5;

/** Waits until something is so. @throws Error naming it after `timeoutMs` */
export async function until(
  what: string,
  isSo: () => boolean,
  timeoutMs: number = 5_000,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`not so within ${timeoutMs} ms: ${what}`);
    await sleep(POLL_MS);
  }
}
