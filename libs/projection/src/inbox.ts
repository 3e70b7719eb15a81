import type { Commit, Seq, Timers } from '@athena/event-log';

/** More than this is not pulled before it is written (a delivery under way comes on top). */
export const UNWRITTEN_BYTES_MAX = 8 * 1024 * 1024;
/** Events in one transaction. */
export const EVENTS_PER_WRITE_MAX = 10_000;

export interface Arrivals {
  /** Empty where only other subjects' positions went by, or nothing came in time. */
  readonly commits: readonly Commit[];
  /** The position that is reached once these are written. */
  readonly seen: Seq;
}

/** Commits between the feed and the writer: what gathers while one batch is written is the next. */
export class Inbox {
  readonly #timers: Timers;
  #commits: Commit[] = [];
  #bytes = 0;
  #events = 0;
  #seen: Seq;
  #taken: Seq;
  #closed = false;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  #makeRoom: (() => void) | null = null;

  constructor(from: Seq, timers: Timers) {
    this.#seen = from;
    this.#taken = from;
    this.#timers = timers;
  }

  get events(): number {
    return this.#events;
  }
  get oldest(): Commit | undefined {
    return this.#commits[0];
  }

  /** The promise, where there is one, resolves when there is room again. */
  put(commits: readonly Commit[], seen: Seq): void | Promise<void> {
    if (this.#closed) return;
    for (const commit of commits) {
      this.#commits.push(commit);
      this.#bytes += commit.bytes;
      this.#events += commit.events.length;
    }
    this.#seen = seen;
    this.#wake?.();
    if (this.#bytes < UNWRITTEN_BYTES_MAX) return;
    return new Promise((resolve) => {
      this.#makeRoom = resolve;
    });
  }

  /**
   * Waits for the next arrivals, at most `ms` where given; null: closed.
   * @throws what `fail` was called with
   */
  async take(ms?: number): Promise<Arrivals | null> {
    if (this.#idle) await this.#changed(ms);
    if (this.#failure) throw this.#failure;
    if (this.#closed) return null;
    const commits = this.#cut();
    // What is left over holds the position back at the last commit handed over.
    this.#taken = this.#commits.length > 0 ? (commits.at(-1) as Commit).seq : this.#seen;
    if (this.#bytes < UNWRITTEN_BYTES_MAX) this.#release();
    return { commits, seen: this.#taken };
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.close();
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
    this.#release();
  }

  get #idle(): boolean {
    return !this.#closed && this.#commits.length === 0 && this.#seen === this.#taken;
  }

  #changed(ms?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = ms === undefined ? null : this.#timers.after(ms, () => this.#wake?.());
      this.#wake = () => {
        this.#wake = null;
        cancel?.();
        resolve();
      };
    });
  }

  #cut(): readonly Commit[] {
    let events = 0;
    const fit = this.#commits.findIndex((commit) => {
      events += commit.events.length;
      return events > EVENTS_PER_WRITE_MAX;
    });
    const commits = fit < 0 ? this.#commits : this.#commits.slice(0, Math.max(fit, 1));
    this.#commits = fit < 0 ? [] : this.#commits.slice(commits.length);
    for (const commit of commits) {
      this.#bytes -= commit.bytes;
      this.#events -= commit.events.length;
    }
    return commits;
  }

  #release(): void {
    this.#makeRoom?.();
    this.#makeRoom = null;
  }
}
