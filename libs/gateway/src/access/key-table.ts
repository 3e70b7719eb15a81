import type { KeyRecord } from '@athena/contracts';
import {
  Fold,
  sleep,
  subjectOf,
  systemClock,
  systemTimers,
  type Clock,
  type Commit,
  type EventLog,
  type Follower,
  type Seq,
  type StateStore,
  type Timers,
} from '@athena/event-log';
import { accessDecider } from '../domain/access.js';
import { isActive, keyRecordOf, type AccessState } from '../domain/access-state.js';
import { hashSecret, parseApiKey, secretMatches } from '../domain/api-key.js';

export const ACCESS_PARTITION = 'access.0';
const RELOAD_DELAY_MS = 1_000;
/** Compared with where there is no such key, so that a guess at an id takes as long. */
const NOBODY = hashSecret('nobody');

export interface KeyTableOptions {
  readonly log: EventLog;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly store?: StateStore;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** The log could not be folded or followed; the table is being loaded anew. */
  readonly onFailure?: (error: unknown) => void;
}

export type KeyCheck =
  | { readonly key: KeyRecord }
  | { readonly refused: 'malformed' | 'unknown' | 'revoked' | 'expired' | 'not_ready' };

interface Waiter {
  readonly seq: Seq;
  readonly end: (reached: boolean) => void;
}

/**
 * All keys, in memory: a fold of partition `access.0` that follows the log. Checking a key costs
 * a hash and a lookup. While the fold is not at the log's end nobody is let in.
 */
export class KeyTable {
  readonly #options: KeyTableOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #waiters = new Set<Waiter>();
  #fold: Fold<AccessState> | null = null;
  #follower: Follower | null = null;
  #seen: Seq = 0;
  #stopped = false;
  #cancelReload: (() => void) | null = null;

  constructor(options: KeyTableOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
  }

  /** Whether the table has caught up with the log and follows it. */
  get ready(): boolean {
    return this.#fold !== null;
  }

  /** Position up to which the log has been folded. */
  get seen(): Seq {
    return this.#seen;
  }

  /** Loads until it succeeds or is stopped. */
  async start(): Promise<void> {
    while (!this.#stopped) {
      try {
        return await this.#load();
      } catch (error) {
        this.#options.onFailure?.(error);
        await sleep(this.#timers, RELOAD_DELAY_MS);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#fold = null;
    this.#cancelReload?.();
    for (const waiter of this.#waiters) waiter.end(false);
    await this.#follower?.stop();
  }

  /** Who a key's text belongs to. Why it was refused is for the audit log, not for the caller. */
  check(text: string): KeyCheck {
    if (!this.#fold) return { refused: 'not_ready' };
    const given = parseApiKey(text);
    if (!given) return { refused: 'malformed' };
    const key = this.#fold.state.keys.get(given.keyId);
    const matches = secretMatches(given.secret, key?.secretHash ?? NOBODY);
    if (!key || !matches) return { refused: 'unknown' };
    if (key.revokedAt !== null) return { refused: 'revoked' };
    if (!isActive(key, this.#clock.now())) return { refused: 'expired' };
    return { key: keyRecordOf(key) };
  }

  /** Resolves true when the table has folded the position; false after `ms`. */
  reached(seq: Seq, ms: number): Promise<boolean> {
    if (this.#fold && this.#seen >= seq) return Promise.resolve(true);
    return new Promise((resolve) => {
      const done = (reached: boolean): void => {
        cancel();
        this.#waiters.delete(waiter);
        resolve(reached);
      };
      const waiter: Waiter = { seq, end: done };
      const cancel = this.#timers.after(ms, () => done(false));
      this.#waiters.add(waiter);
    });
  }

  async #load(): Promise<void> {
    const { log, feed, store } = this.#options;
    const end = await log.endSeq();
    const fold = await Fold.load(ACCESS_PARTITION, accessDecider, log, store);
    if (this.#stopped) return;
    const mine = subjectOf(ACCESS_PARTITION);
    const options = { from: end + 1, subjects: (subject: string) => subject === mine };
    this.#fold = fold;
    this.#follower = feed.follow(options, (commits, seen) => this.#folded(fold, commits, seen));
    this.#follower.done.catch((error: unknown) => this.#reload(error));
    this.#advance(Math.max(end, fold.position.seq));
  }

  /** The load may have read further than where following begins. */
  #folded(fold: Fold<AccessState>, commits: readonly Commit[], seen: Seq): void {
    if (this.#fold !== fold) return;
    for (const commit of commits) {
      if (commit.seq > fold.position.seq) fold.apply(commit);
    }
    this.#advance(seen);
  }

  #advance(seen: Seq): void {
    this.#seen = Math.max(this.#seen, seen);
    for (const waiter of this.#waiters) if (waiter.seq <= this.#seen) waiter.end(true);
  }

  #reload(error: unknown): void {
    if (this.#stopped) return;
    this.#fold = null;
    this.#seen = 0;
    this.#options.onFailure?.(error);
    this.#cancelReload = this.#timers.after(RELOAD_DELAY_MS, () => void this.start());
  }
}
