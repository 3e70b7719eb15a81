import { onAbort } from '../abort.js';

/** Lets at most `places` holders in at a time, first come, first served. */
export class Turns {
  readonly #places: number;
  readonly #queue: (() => void)[] = [];
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Somebody waits for a place. */
  get crowded(): boolean {
    return this.#queue.length > 0;
  }

  /** Resolves with how to leave. @throws the signal's reason */
  take(signal?: AbortSignal): Promise<() => void> {
    if (this.#taken < this.#places) {
      this.#taken += 1;
      return Promise.resolve(this.#leaveOnce());
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        forget();
        resolve(this.#leaveOnce());
      };
      this.#queue.push(enter);
      const forget = onAbort(signal, () => {
        this.#queue.splice(this.#queue.indexOf(enter), 1);
        reject(signal?.reason as Error);
      });
    });
  }

  /** The place goes to the next in the queue, if there is one. */
  #leaveOnce(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const next = this.#queue.shift();
      if (next) next();
      else this.#taken -= 1;
    };
  }
}
