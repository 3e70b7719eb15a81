import type { Commit, EventLog, Follower, Timers } from '@athena/event-log';
import { NOT_OWNER, Refused, UNAVAILABLE } from '@athena/operation';
import type { RouterState } from './domain/router-state.js';

/** How long a request waits until what it has to see is folded. */
export const CATCH_UP_MS_MAX = 5_000;

const SUBJECTS = /^athena\.evt\.(task|agent)\./;

export interface RouterFoldOptions {
  readonly log: Pick<EventLog, 'endSeq'>;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly timers: Timers;
  /** After every delivery has been folded. */
  readonly onFolded: () => void;
}

const nothing = (): void => undefined;

interface Waiting {
  readonly seq: number;
  readonly reached: () => void;
  readonly failed: (error: Refused) => void;
}

/** The router's state, kept folded to the end of the log. */
export class RouterFold {
  readonly state: RouterState;
  /** The last commit that was folded since the start; null: none. */
  last: { readonly seq: number; readonly rev: number; readonly hash: string } | null = null;
  readonly #options: RouterFoldOptions;
  readonly #follower: Follower;
  #waiting: Waiting[] = [];
  #asking: Promise<void> = Promise.resolve();
  #next: Promise<number> | null = null;
  #stopped = false;

  constructor(options: RouterFoldOptions, state: RouterState) {
    this.#options = options;
    this.state = state;
    this.#follower = options.feed.follow(
      { from: state.seq + 1, subjects: (subject) => SUBJECTS.test(subject) },
      (commits, seen) => this.#fold(commits, seen),
    );
  }

  /** Rejects when the feed broke: the state is not to be used any more. */
  get done(): Promise<void> {
    return this.#follower.done;
  }

  /** Resolves when the log as of now is folded, however long that takes. */
  async loaded(): Promise<void> {
    const end = await this.#endSeq();
    if (this.state.seq < end) await this.#folded(end);
  }

  /** Resolves when the state reflects this position. @throws Refused UNAVAILABLE, NOT_OWNER */
  async reached(seq: number): Promise<void> {
    if (this.state.seq >= seq) return;
    let cancel = (): void => undefined;
    const late = new Promise<never>((_, reject) => {
      cancel = this.#options.timers.after(CATCH_UP_MS_MAX, () =>
        reject(Refused.because(UNAVAILABLE, `the router has not folded position ${seq} yet`)),
      );
    });
    await Promise.race([this.#folded(seq), late]).finally(cancel);
  }

  /** Resolves when the state reflects everything that was in the log at the time of the call. */
  async caughtUp(): Promise<void> {
    await this.reached(await this.#endSeq());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#giveUp();
    await this.#follower.stop().catch(() => undefined);
  }

  #folded(seq: number): Promise<void> {
    if (this.#stopped) return Promise.reject(Refused.because(NOT_OWNER, 'the router is closing'));
    return new Promise((reached, failed) => this.#waiting.push({ seq, reached, failed }));
  }

  #fold(commits: readonly Commit[], seen: number): void {
    for (const { seq, at, events, lines, hash, header } of commits) {
      this.last = { seq, rev: header.rev, hash };
      events.forEach((event, index) => {
        const bytes = Buffer.byteLength(lines[index] ?? '');
        this.state.evolve(event, { seq, index, at, bytes });
      });
    }
    this.state.seq = seen;
    if (this.#waiting.length > 0) this.#wake(seen);
    this.#options.onFolded();
  }

  #wake(seen: number): void {
    const left: Waiting[] = [];
    for (const waiting of this.#waiting) {
      if (waiting.seq <= seen) waiting.reached();
      else left.push(waiting);
    }
    this.#waiting = left;
  }

  #giveUp(): void {
    const error = Refused.because(NOT_OWNER, 'the router is closing');
    for (const { failed } of this.#waiting) failed(error);
    this.#waiting = [];
  }

  /**
   * Those who ask while a question is under way share the next one: it is asked after they came.
   */
  #endSeq(): Promise<number> {
    this.#next ??= this.#asking.then(() => {
      this.#next = null;
      const asked = this.#ask();
      this.#asking = asked.then(nothing, nothing);
      return asked;
    });
    return this.#next;
  }

  async #ask(): Promise<number> {
    try {
      return await this.#options.log.endSeq();
    } catch {
      throw Refused.because(UNAVAILABLE, 'the event log can’t be reached now');
    }
  }
}
