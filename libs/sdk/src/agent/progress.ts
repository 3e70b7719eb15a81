import { PROGRESS_INTERVAL_MS } from '../limits.js';
import type { Time } from '../time.js';
import type { Progress } from './verbs.js';

/** Sends the first report at once and of later ones the latest, PROGRESS_INTERVAL_MS apart. */
export class ProgressReports {
  readonly #send: (progress: Progress) => void;
  #latest: Progress | undefined;
  readonly #time: Time;
  #cancelPause: (() => void) | undefined;

  constructor(time: Time, send: (progress: Progress) => void) {
    this.#time = time;
    this.#send = send;
  }

  report(progress: Progress): void {
    if (this.#cancelPause) {
      this.#latest = progress;
      return;
    }
    this.#send(progress);
    this.#cancelPause = this.#time.after(PROGRESS_INTERVAL_MS, () => {
      this.#cancelPause = undefined;
      const latest = this.#latest;
      this.#latest = undefined;
      if (latest) this.report(latest);
    });
  }

  /** Forgets what was not sent: the outcome says more. */
  end(): void {
    this.#cancelPause?.();
    this.#latest = undefined;
  }
}
