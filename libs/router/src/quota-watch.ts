import type { Clock, Timers } from '@athena/event-log';
import type { Quotas } from './domain/quotas.js';

export interface QuotaWatchOptions {
  readonly quotas: Quotas;
  readonly clock: Clock;
  readonly timers: Timers;
  /** A rate limit that tasks wait for lets the next one through. */
  readonly onRoom: () => void;
}

/** One timer for all rate limits that tasks wait for, running only while there are any. */
export class QuotaWatch {
  readonly #options: QuotaWatchOptions;
  #at = Infinity;
  #cancel: (() => void) | null = null;

  constructor(options: QuotaWatchOptions) {
    this.#options = options;
  }

  /** To be called after every pass. */
  arm(): void {
    const { quotas, clock, timers, onRoom } = this.#options;
    const { nextAt } = quotas;
    if (nextAt === null || nextAt >= this.#at) return;
    this.stop();
    this.#at = nextAt;
    this.#cancel = timers.after(Math.max(0, nextAt - clock.now()), () => {
      this.stop();
      onRoom();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#at = Infinity;
  }
}
