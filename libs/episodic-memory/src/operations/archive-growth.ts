import { systemTimers, type Seq, type Timers } from '@athena/event-log';
import { NOT_CAUGHT_UP, Refused } from '@athena/operation';
import type { CaughtUp } from '@athena/projection';

/** Followers of a busy log look this often at most; more comes with each look. */
export const LOOK_MS_MIN = 25;
const ROUND_MS = 1_000;

/** Tells all who follow the archive that it has grown; they share one question about it. */
export class ArchiveGrowth {
  readonly #archive: CaughtUp;
  readonly #timers: Timers;
  readonly #closing: Promise<void>;
  #close: () => void = () => undefined;
  #closed = false;
  #round: { readonly seq: Seq; readonly over: Promise<void> } | null = null;

  constructor(archive: CaughtUp, timers: Timers = systemTimers) {
    this.#archive = archive;
    this.#timers = timers;
    this.#closing = new Promise((resolve) => (this.#close = resolve));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Nobody waits any longer, so that a process that ends answers at once. */
  close(): void {
    this.#closed = true;
    this.#close();
  }

  /** Resolves some time after the archive has passed `seq`, or earlier: look again then. */
  async beyond(seq: Seq, ms: number): Promise<void> {
    this.#round ??= { seq, over: this.#next(seq).finally(() => (this.#round = null)) };
    // Whoever asked before has seen more already.
    if (this.#round.seq > seq) return;
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => (cancel = this.#timers.after(ms, resolve)));
    try {
      await Promise.race([this.#round.over, late, this.#closing]);
    } finally {
      cancel();
    }
  }

  async #next(seq: Seq): Promise<void> {
    const soonest = new Promise<void>((resolve) => this.#timers.after(LOOK_MS_MIN, resolve));
    const grown = this.#archive.waitFor(seq + 1, ROUND_MS).catch((error: unknown) => {
      if (!(error instanceof Refused) || error.refusal.code !== NOT_CAUGHT_UP.code) throw error;
    });
    await Promise.all([soonest, grown]);
  }
}
