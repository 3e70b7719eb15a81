import { PROGRESS_INTERVAL_MS } from '../limits.js';
import type { Progress } from './verbs.js';

/** Sends the first report at once and of later ones the latest, PROGRESS_INTERVAL_MS apart. */
export class ProgressReports {
  readonly #send: (progress: Progress) => void;
  #latest: Progress | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (progress: Progress) => void) {
    this.#send = send;
  }

  report(progress: Progress): void {
    if (this.#timer) {
      this.#latest = progress;
      return;
    }
    this.#send(progress);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const latest = this.#latest;
      this.#latest = undefined;
      if (latest) this.report(latest);
    }, PROGRESS_INTERVAL_MS);
  }

  /** Forgets what was not sent: the outcome says more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#latest = undefined;
  }
}
