/** The clock and the timers that everything in the SDK waits on. */
export interface Time {
  /** Milliseconds that only ever grow; from when they count is of no concern. */
  now(): number;
  /** Calls back once after `ms`; returns what cancels it. */
  after(ms: number, callback: () => void): () => void;
}

export const systemTime: Time = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
