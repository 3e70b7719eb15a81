import type { Time } from './time.js';

/** Many calls may share one signal: it gets one listener, not one a call (Node warns of eleven). */
const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/** Runs `listener` once when the signal aborts, now if it has. Returns how to stop listening. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal) return () => {};
  if (signal.aborted) {
    listener();
    return () => {};
  }
  const known = listeners.get(signal) ?? listenersOf(signal);
  const own = (): void => listener();
  known.add(own);
  return () => known.delete(own);
}

function listenersOf(signal: AbortSignal): Set<() => void> {
  const set = new Set<() => void>();
  listeners.set(signal, set);
  const all = (): void => {
    for (const listener of [...set]) listener();
  };
  signal.addEventListener('abort', all, { once: true });
  return set;
}

/** @throws the signal's reason when it aborts first. */
export function sleep(time: Time, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = time.after(ms, () => {
      forget();
      resolve();
    });
    const forget = onAbort(signal, () => {
      cancel();
      reject(signal?.reason as Error);
    });
  });
}

/** Gives the promise up after `timeoutMs`, with `late()`, or when the signal aborts. */
export function within<T>(
  time: Time,
  promise: Promise<T>,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  late: () => Error,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = time.after(timeoutMs, () => reject(late()));
    const forget = onAbort(signal, () => reject(signal?.reason as Error));
    const end = (): void => {
      cancel();
      forget();
    };
    promise.then(resolve, reject).finally(end);
  });
}
