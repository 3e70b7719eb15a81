import type { Queued } from './batch.js';
import { TIMER_MS_MAX, type Clock, type Timers } from './ports.js';

interface Parked {
  readonly queued: Queued;
  readonly cancel: () => void;
}

/** Commands that have nothing to say yet: by key, until woken or until their time is up. */
export class Parking {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #resume: (queued: Queued) => void;
  readonly #byKey = new Map<string, Set<Parked>>();
  #size = 0;

  constructor(clock: Clock, timers: Timers, resume: (queued: Queued) => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#resume = resume;
  }

  get size(): number {
    return this.#size;
  }

  add(queued: Queued, key: string, until: number): void {
    const ms = Math.min(TIMER_MS_MAX, Math.max(0, until - this.#clock.now()));
    const parked = { queued, cancel: this.#timers.after(ms, () => this.#leave(key, parked)) };
    const waiting = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, waiting.add(parked));
    this.#size++;
  }

  wake(key: string): void {
    for (const parked of [...(this.#byKey.get(key) ?? [])]) this.#leave(key, parked);
  }

  takeAll(): Queued[] {
    const all = [...this.#byKey.values()].flatMap((waiting) => [...waiting]);
    for (const { cancel } of all) cancel();
    this.#byKey.clear();
    this.#size = 0;
    return all.map(({ queued }) => queued);
  }

  #leave(key: string, parked: Parked): void {
    const waiting = this.#byKey.get(key);
    if (!waiting?.delete(parked)) return;
    if (waiting.size === 0) this.#byKey.delete(key);
    this.#size--;
    parked.cancel();
    this.#resume(parked.queued);
  }
}
