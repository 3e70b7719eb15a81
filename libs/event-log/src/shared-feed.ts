import type { Commit } from './commit.js';
import type { EventLog, FollowOptions, Follower, Seq } from './port.js';
import { sleep, systemTimers, type Timers } from './ports.js';
import { SharedReader, type OnCommits, type Trunk } from './shared-reader.js';

/** Commits kept for readers that are about to join. */
export const FEED_WINDOW_COMMITS_MAX = 1_000;
export const FEED_WINDOW_BYTES_MAX = 1024 * 1024;
const RETRY_MS = 250;

/**
 * One consumer and one parse for all readers of a process. A reader that starts from an older
 * position, or falls too far behind, reads with a consumer of its own until it has caught up, and
 * then joins the others: each gets every commit once and in order, and none slows another down.
 */
export class SharedFeed implements Pick<EventLog, 'follow'>, Trunk {
  readonly log: EventLog;
  readonly #timers: Timers;
  readonly #joined = new Set<SharedReader>();
  readonly #readers = new Set<SharedReader>();
  #window: Commit[] = [];
  #windowBytes = 0;
  /** The last position that is no longer in the window. */
  #before: Seq = 0;
  #seen: Seq = 0;
  #follower: Follower | null = null;
  #starting: Promise<void> | null = null;
  #failure: Error | null = null;
  #closed = false;

  constructor(log: EventLog, timers: Timers = systemTimers) {
    this.log = log;
    this.#timers = timers;
  }

  /** As `EventLog.follow`. */
  follow({ from, subjects }: FollowOptions, onCommits: OnCommits): Follower {
    const reader = new SharedReader(this, Math.max(1, from), subjects, onCommits);
    this.#readers.add(reader);
    reader.start();
    return reader;
  }

  /** Ends the shared consumer and every reader. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#readers].map((reader) => reader.stop()));
    await this.#starting;
    await this.#follower?.stop();
  }

  /** Resolves when the shared consumer runs; a log that can't be reached is asked again. */
  ready(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  get seen(): Seq {
    return this.#seen;
  }

  join(reader: SharedReader): readonly Commit[] | null {
    if (this.#failure || !this.#follower || reader.position < this.#before) return null;
    this.#joined.add(reader);
    return this.#window.filter(({ seq }) => seq > reader.position);
  }

  leave(reader: SharedReader): void {
    this.#joined.delete(reader);
  }

  ended(reader: SharedReader): void {
    this.#readers.delete(reader);
  }

  async #start(): Promise<void> {
    while (!this.#closed) {
      try {
        this.#seen = this.#before = await this.log.endSeq();
        if (!this.#closed) this.#run();
        return;
      } catch {
        await sleep(this.#timers, RETRY_MS);
      }
    }
  }

  #run(): void {
    const follower = this.log.follow({ from: this.#seen + 1 }, (commits, seen) => {
      this.#seen = seen;
      this.#remember(commits);
      for (const reader of [...this.#joined]) reader.offer(commits, seen);
    });
    this.#follower = follower;
    follower.done.catch((error: Error) => {
      this.#failure = error;
      for (const reader of [...this.#joined]) reader.fail(error);
    });
  }

  #remember(commits: readonly Commit[]): void {
    this.#window.push(...commits);
    for (const { bytes } of commits) this.#windowBytes += bytes;
    let drop = 0;
    const tooMuch = (): boolean =>
      this.#windowBytes > FEED_WINDOW_BYTES_MAX ||
      this.#window.length - drop > FEED_WINDOW_COMMITS_MAX;
    while (drop < this.#window.length && tooMuch()) {
      const dropped = this.#window[drop++] as Commit;
      this.#windowBytes -= dropped.bytes;
      this.#before = dropped.seq;
    }
    if (drop > 0) this.#window = this.#window.slice(drop);
  }
}
