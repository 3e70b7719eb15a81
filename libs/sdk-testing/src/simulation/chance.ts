import type { SeededIds } from '../seeded-ids.js';

/** Everything that is left to chance, out of one seed. */
export class Chance {
  readonly #ids: SeededIds;

  constructor(ids: SeededIds) {
    this.#ids = ids;
  }

  /** True so often, of 1. */
  happens(probability: number): boolean {
    return this.#ids.fraction() < probability;
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.#ids.fraction() * (most - least + 1));
  }

  oneOf<T>(all: readonly T[]): T | undefined {
    return all[this.between(0, all.length - 1)];
  }

  share(most: number): number {
    return this.#ids.fraction() * most;
  }
}
