import type { Seq, Timers } from '@athena/event-log';

interface Waiter {
  readonly seq: Seq;
  readonly resolve: (reached: boolean) => void;
}

/** How far something has come, and who waits for it. */
export class Progress {
  readonly #timers: Timers;
  readonly #waiters = new Set<Waiter>();
  #position: Seq = 0;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get position(): Seq {
    return this.#position;
  }

  reach(seq: Seq): void {
    this.#position = seq;
    for (const waiter of this.#waiters) {
      if (waiter.seq > seq) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(true);
    }
  }

  /** True as soon as `seq` is reached, false after `ms`. */
  wait(seq: Seq, ms: number): Promise<boolean> {
    if (seq <= this.#position) return Promise.resolve(true);
    return new Promise((resolve) => {
      const cancel = this.#timers.after(ms, () => {
        this.#waiters.delete(waiter);
        resolve(false);
      });
      const waiter: Waiter = {
        seq,
        resolve: (reached) => {
          cancel();
          resolve(reached);
        },
      };
      this.#waiters.add(waiter);
    });
  }
}
