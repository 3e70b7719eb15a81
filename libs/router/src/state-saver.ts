import { decodeCommit, type Clock, type EventLog, type StateStore } from '@athena/event-log';
import { ROUTER_STATE_VERSION, RouterCheckpoint } from './domain/checkpoint.js';
import { RouterState } from './domain/router-state.js';
import type { RouterFold } from './router-fold.js';

/** The name under which the router's state is stored. */
export const STATE_NAME = 'router.0';
export const SAVE_INTERVAL_MS = 5_000;
/** So many changed rows are written before the interval is over. */
export const SAVE_ROWS = 5_000;

/**
 * The state to start from: the stored one where the log still holds exactly the commit that it
 * stands at, else none. An unreadable store is not fatal: the log is the truth.
 */
export async function loadState(
  log: Pick<EventLog, 'get'>,
  store?: StateStore,
): Promise<RouterCheckpoint> {
  const fresh = (): RouterCheckpoint => new RouterCheckpoint(new RouterState());
  const stored = (await store?.load(STATE_NAME).catch(() => null)) ?? null;
  if (stored?.checkpoint.version !== ROUTER_STATE_VERSION) return fresh();
  const { seq, hash } = stored.checkpoint;
  const message = await log.get(seq);
  if (!message) return fresh();
  const commit = decodeCommit(message.seq, message.subject, message.payload);
  return commit.hash === hash ? RouterCheckpoint.restore(stored.rows, seq) : fresh();
}

export interface StateSaverOptions {
  readonly fold: RouterFold;
  readonly checkpoint: RouterCheckpoint;
  readonly store: StateStore;
  readonly clock: Clock;
  /** Of the router that saves; null while it may not. */
  readonly epoch: () => number | null;
  readonly onFailure?: (error: unknown) => void;
}

/** Writes the active router's state now and then, so that a restart need not fold the whole log. */
export class StateSaver {
  readonly #options: StateSaverOptions;
  #saving: Promise<void> | null = null;
  #savedAt = 0;

  constructor(options: StateSaverOptions) {
    this.#options = options;
  }

  /** To be called after every delivery. */
  consider(): void {
    const { checkpoint, clock, epoch } = this.#options;
    if (epoch() === null) return checkpoint.bound();
    const early = checkpoint.changed >= SAVE_ROWS;
    if (!early && clock.now() - this.#savedAt < SAVE_INTERVAL_MS) return;
    void this.save();
  }

  /** One save at a time; resolves when it is done, whether or not it succeeded. */
  save(): Promise<void> {
    this.#saving ??= this.#save().finally(() => {
      this.#saving = null;
    });
    return this.#saving;
  }

  /** From now on another router may save. */
  standDown(): void {
    this.#options.checkpoint.track();
  }

  async #save(): Promise<void> {
    const { fold, checkpoint, store, clock, epoch, onFailure } = this.#options;
    const [current, { last }] = [epoch(), fold];
    if (current === null || !last) return;
    this.#savedAt = clock.now();
    const rows = checkpoint.take();
    const { seq, rev, hash } = last;
    const stand = { seq, rev, hash, epoch: current, version: ROUTER_STATE_VERSION };
    try {
      const saved = await store.save(STATE_NAME, { checkpoint: stand, ...rows });
      // A newer router's state stands there; should this one ever save again, it misses nothing.
      if (!saved) checkpoint.giveBack(rows);
    } catch (error) {
      checkpoint.giveBack(rows);
      onFailure?.(error);
    }
  }
}
