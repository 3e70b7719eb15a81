/** Everything a fold or a service needs from the outside world, injectable for simulation. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export interface Timers {
  /** Calls back once after `ms`; returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export interface Ids {
  /** `bytes` random bytes. */
  random(bytes: number): Uint8Array;
}

/** Longer waits are taken in pieces: a timer of Node fires at once beyond 24 days. */
export const TIMER_MS_MAX = 60_000;

export const systemClock: Clock = { now: () => Date.now() };

export const systemTimers: Timers = {
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Random bytes are drawn in bulk: a call into the kernel for each id would cost more than the id.
 */
const POOL_BYTES = 8 * 1024;
let pool = new Uint8Array(0);
let used = 0;

export const systemIds: Ids = {
  random(bytes) {
    if (used + bytes > pool.length) {
      pool = crypto.getRandomValues(new Uint8Array(Math.max(POOL_BYTES, bytes)));
      used = 0;
    }
    used += bytes;
    return pool.subarray(used - bytes, used);
  },
};

/** Waits on the injected timers. */
export const sleep = (timers: Timers, ms: number): Promise<void> =>
  new Promise((resolve) => timers.after(ms, resolve));
