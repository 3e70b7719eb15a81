/**
 * What stands between a process and everything around it. A process that is frozen gets what has
 * come meanwhile when it goes on; one that is gone never does or hears anything again.
 */
export class Gate {
  readonly #onPass: () => void;
  #state: 'open' | 'frozen' | 'gone' = 'open';
  #waiting: (() => void)[] = [];

  /** @param onPass told of every step; it may freeze or end the process before that */
  constructor(onPass: () => void) {
    this.#onPass = onPass;
  }

  get isGone(): boolean {
    return this.#state === 'gone';
  }
  get isFrozen(): boolean {
    return this.#state === 'frozen';
  }

  freeze(): void {
    if (!this.isGone) this.#state = 'frozen';
  }

  thaw(): void {
    if (!this.isFrozen) return;
    this.#state = 'open';
    for (const act of this.#waiting.splice(0)) this.pass(act);
  }

  end(): void {
    this.#state = 'gone';
    this.#waiting = [];
  }

  /** One step of the process. */
  pass(act: () => void): void {
    if (this.#state === 'open') this.#onPass();
    if (this.#state === 'open') act();
    else if (this.#state === 'frozen') this.#waiting.push(act);
  }

  /** Asks something outside: the way there and the way back are steps. */
  ask<T>(question: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) =>
      this.pass(() => {
        question().then(
          (answer) => this.pass(() => resolve(answer)),
          (error: Error) => this.pass(() => reject(error)),
        );
      }),
    );
  }
}
