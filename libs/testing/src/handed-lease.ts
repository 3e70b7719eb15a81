import type { Lease } from '@athena/event-log';

/** A lease that a test hands to one process or another. */
export class HandedLease implements Lease {
  released = false;
  #held: boolean;
  readonly #listeners: ((held: boolean) => void)[] = [];

  constructor(held = false) {
    this.#held = held;
  }

  get held(): boolean {
    return this.#held;
  }
  onChange(listener: (held: boolean) => void): void {
    this.#listeners.push(listener);
  }
  async release(): Promise<void> {
    this.released = true;
    this.hand(false);
  }
  hand(held: boolean): void {
    this.#held = held;
    for (const listener of this.#listeners) listener(held);
  }
}
