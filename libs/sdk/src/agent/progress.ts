import { limits } from '@athena/contracts';
import { PROGRESS_INTERVAL_MS } from '../limits.js';
import type { Time } from '../time.js';
import type { Progress } from './verbs.js';

/** Sends the first report at once, and later ones gathered, PROGRESS_INTERVAL_MS apart. */
export class ProgressReports {
  readonly #send: (progress: Progress) => Promise<unknown>;
  readonly #time: Time;
  #gathered: Progress | undefined;
  #cancelPause: (() => void) | undefined;
  #sending: Promise<unknown> = Promise.resolve();

  /** @param send never rejects */
  constructor(time: Time, send: (progress: Progress) => Promise<unknown>) {
    this.#time = time;
    this.#send = send;
  }

  report(progress: Progress): void {
    this.#gathered = together(this.#gathered, progress);
    if (!this.#cancelPause) this.#flush();
  }

  /**
   * Resolves when what watchers would miss has arrived, before the outcome ends the story. Of how
   * far the work is the outcome says more.
   */
  async end(): Promise<void> {
    this.#cancelPause?.();
    const { output, log } = this.#gathered ?? {};
    if (output === undefined && log === undefined) this.#gathered = undefined;
    if (this.#gathered) this.#sending = this.#send(this.#gathered);
    await this.#sending;
  }

  #flush(): void {
    const gathered = this.#gathered;
    if (!gathered) return;
    this.#gathered = undefined;
    this.#sending = this.#send(gathered);
    this.#cancelPause = this.#time.after(PROGRESS_INTERVAL_MS, () => {
      this.#cancelPause = undefined;
      this.#flush();
    });
  }
}

function together(before: Progress = {}, { log = [], ...report }: Progress): Progress {
  const lines = [...(before.log ?? []), ...log.map(cut)].slice(-limits.PROGRESS_LOG_LINES_MAX);
  return { ...before, ...report, ...(lines.length > 0 ? { log: lines } : {}) };
}

const cut = (line: string): string => line.slice(0, limits.PROGRESS_LOG_LINE_LENGTH_MAX);
