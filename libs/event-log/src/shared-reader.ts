import type { Commit } from './commit.js';
import type { EventLog, FollowOptions, Follower, Seq } from './port.js';

/** A reader that has this much waiting gets a consumer of its own. */
export const READER_LAG_COMMITS_MAX = 5_000;
export const READER_LAG_BYTES_MAX = 8 * 1024 * 1024;

export type OnCommits = (commits: readonly Commit[], seen: Seq) => void | Promise<void>;

/** What a reader needs of the feed that it belongs to. */
export interface Trunk {
  readonly log: Pick<EventLog, 'follow'>;
  /** The last position that the shared consumer has read. */
  readonly seen: Seq;
  /** Resolves when there is something to join. */
  ready(): Promise<void>;
  /**
   * What the shared consumer has read behind the reader's position; everything later is offered.
   * Null: the position is too far back.
   */
  join(reader: SharedReader): readonly Commit[] | null;
  leave(reader: SharedReader): void;
  ended(reader: SharedReader): void;
}

/** One reader: either joined to the shared feed or on a consumer of its own. */
export class SharedReader implements Follower {
  readonly done: Promise<void>;
  /** The last position that was handed over or skipped. */
  position: Seq;
  readonly #trunk: Trunk;
  readonly #subjects: FollowOptions['subjects'];
  readonly #onCommits: OnCommits;
  #waiting: Commit[] = [];
  #waitingBytes = 0;
  #waitingSeen: Seq = 0;
  #joined = false;
  #own: Follower | null = null;
  #delivering: Promise<void> | null = null;
  #busy = false;
  #ended = false;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(trunk: Trunk, from: Seq, subjects: FollowOptions['subjects'], onCommits: OnCommits) {
    this.#trunk = trunk;
    this.position = from - 1;
    this.#subjects = subjects;
    this.#onCommits = onCommits;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  start(): void {
    void this.#trunk.ready().then(() => {
      if (this.#ended) return;
      // A position beyond the end is for the log itself to judge.
      if (this.position > this.#trunk.seen || !this.#join()) this.#readAlone();
    });
  }

  async stop(): Promise<void> {
    const own = this.#own;
    this.#end();
    await Promise.all([this.#delivering, own?.stop()]);
    this.#resolve();
  }

  fail(error: Error): void {
    this.#end();
    this.#reject(error);
  }

  /** New commits of the shared consumer, which has now read up to `seen`. */
  offer(commits: readonly Commit[], seen: Seq): void {
    for (const commit of commits) {
      if (commit.seq <= this.position) continue;
      this.#waiting.push(commit);
      this.#waitingBytes += commit.bytes;
    }
    this.#waitingSeen = seen;
    const lagging =
      this.#waiting.length > READER_LAG_COMMITS_MAX || this.#waitingBytes > READER_LAG_BYTES_MAX;
    if (lagging) this.#leave();
    if (!this.#busy) this.#delivering = this.#deliver();
  }

  /** Hands over what waits, in as few calls as the reader's pace allows. */
  async #deliver(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#joined && this.position < this.#waitingSeen) {
        const [commits, seen] = [this.#waiting, this.#waitingSeen];
        this.#waiting = [];
        this.#waitingBytes = 0;
        await this.#hand(commits, seen);
      }
    } catch (error) {
      this.fail(error as Error);
    } finally {
      this.#busy = false;
    }
    if (!this.#joined && !this.#ended) this.#readAlone();
  }

  async #hand(commits: readonly Commit[], seen: Seq): Promise<void> {
    const subjects = this.#subjects;
    const wanted = subjects ? commits.filter(({ subject }) => subjects(subject)) : commits;
    await this.#onCommits(wanted, seen);
    this.position = seen;
  }

  #readAlone(): void {
    const from = this.position + 1;
    const options = this.#subjects ? { from, subjects: this.#subjects } : { from };
    const own = this.#trunk.log.follow(options, async (commits, seen) => {
      if (this.#own !== own) return;
      await this.#onCommits(commits, seen);
      this.position = seen;
      if (!this.#ended && this.#join()) void own.stop();
    });
    this.#own = own;
    own.done.catch((error: Error) => this.fail(error));
  }

  #join(): boolean {
    const missed = this.#trunk.join(this);
    if (!missed) return false;
    this.#own = null;
    this.#joined = true;
    this.offer(missed, Math.max(this.position, this.#trunk.seen));
    return true;
  }

  /** Too much waits: it is let go of, and read again at the reader's own pace. */
  #leave(): void {
    this.#joined = false;
    this.#trunk.leave(this);
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#trunk.ended(this);
    this.#leave();
    if (this.#own) void this.#own.stop();
    this.#own = null;
  }
}
