import type { Clock, Timers } from '@athena/event-log';

/**
 * Timers that fire at whole multiples of a step only. The router and the callers of operations
 * look every few milliseconds for what has to end; over hours of virtual time that would be
 * hundreds of thousands of looks, and an agent can't tell the difference.
 */
export const coarse = (time: Clock & Timers, stepMs: number): Timers => ({
  after(ms, callback) {
    const now = time.now();
    return time.after(Math.ceil((now + ms) / stepMs) * stepMs - now, callback);
  },
});
