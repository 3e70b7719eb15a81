import type { Timers } from '@athena/event-log';

/** Timers of one process: when it ends, none of them fires any more and no new one is taken. */
export class Lifetime implements Timers {
  readonly #timers: Timers;
  readonly #pending = new Set<() => void>();
  #over = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  after(ms: number, callback: () => void): () => void {
    if (this.#over) return () => undefined;
    const cancel = (): void => {
      this.#pending.delete(cancel);
      forget();
    };
    const forget = this.#timers.after(ms, () => {
      this.#pending.delete(cancel);
      callback();
    });
    this.#pending.add(cancel);
    return cancel;
  }

  end(): void {
    this.#over = true;
    for (const cancel of [...this.#pending]) cancel();
  }
}
