import { setTimeout as sleep } from 'node:timers/promises';
import { describeExit } from './child.mjs';

/**
 * Waits until a started process is ready; it may also end before, or take too long.
 * @param {import('./child.mjs').Child} child
 * @param {{ ready: (signal: AbortSignal) => Promise<void>, msMax: number,
 *   signal?: AbortSignal }} how
 *   `signal` gives the wait up.
 */
export async function untilReady(child, { ready, msMax, signal }) {
  const abort = new AbortController();
  const giveUp = () => abort.abort(signal?.reason);
  signal?.addEventListener('abort', giveUp, { once: true });
  const gone = child.exited.then((exit) => {
    throw new Error(`it ended with ${describeExit(exit)}`);
  });
  const late = sleep(msMax, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`it was not ready after ${msMax / 1000} s`);
  });
  gone.catch(() => {}); // Whoever loses the race has nobody to tell.
  late.catch(() => {});
  try {
    signal?.throwIfAborted();
    await Promise.race([ready(abort.signal), gone, late]);
  } finally {
    signal?.removeEventListener('abort', giveUp);
    abort.abort();
  }
}
