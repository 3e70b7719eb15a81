import type { Fold } from './fold.js';
import type { PartitionObserver } from './partition.js';
import type { Seq, StateStore } from './port.js';
import type { Clock } from './ports.js';

export const CHECKPOINT_INTERVAL_MS = 1_000;
/** So many changed rows are written without waiting for the interval. */
export const CHECKPOINT_ROWS = 5_000;
const FAILURE_MS_MAX = 30_000;

/**
 * Writes an owner's state to the store now and then. Called only while the fold stands exactly at
 * its position; a checkpoint that fails costs nothing but a longer tail at the next start.
 */
export class Checkpointer<S> {
  readonly #fold: Fold<S>;
  readonly #store: StateStore | undefined;
  readonly #clock: Clock;
  readonly #observer: PartitionObserver | undefined;
  #notBefore = -Infinity;
  #due = -Infinity;
  #savedSeq: Seq = -1;
  #failures = 0;
  #writing: Promise<void> | null = null;

  constructor(
    fold: Fold<S>,
    clock: Clock,
    store: StateStore | undefined,
    observer: PartitionObserver | undefined,
  ) {
    this.#fold = fold;
    this.#clock = clock;
    this.#store = store;
    this.#observer = observer;
  }

  /** Starts writing where it is time to. */
  maybe(): void {
    if (!this.#store || this.#writing || this.#savedSeq === this.#fold.position.seq) return;
    const now = this.#clock.now();
    if (now < this.#notBefore) return;
    if (now < this.#due && this.#fold.changedRows < CHECKPOINT_ROWS) return;
    this.#begin(this.#store);
  }

  /** What is being written, or nothing. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  /** The last one: whatever has changed since. */
  async finish(): Promise<void> {
    await this.#writing;
    if (!this.#store || this.#savedSeq === this.#fold.position.seq) return;
    this.#begin(this.#store);
    await this.#writing;
  }

  #begin(store: StateStore): void {
    this.#writing = this.#write(store).finally(() => (this.#writing = null));
  }

  async #write(store: StateStore): Promise<void> {
    const began = performance.now();
    const change = this.#fold.takeChanges();
    const { seq } = change.checkpoint;
    this.#due = this.#clock.now() + CHECKPOINT_INTERVAL_MS;
    this.#savedSeq = seq;
    try {
      const saved = await store.save(this.#fold.partition, change);
      if (!saved) throw new Error('a newer checkpoint stands: another owner has written it');
      this.#failures = 0;
      const rows = change.upserts.length + change.deletes.length;
      this.#observer?.checkpointed?.({ ms: performance.now() - began, rows, seq });
    } catch (error) {
      this.#fold.giveBack(change);
      this.#savedSeq = -1;
      const ms = Math.min(FAILURE_MS_MAX, CHECKPOINT_INTERVAL_MS * 2 ** this.#failures++);
      this.#notBefore = this.#clock.now() + ms;
      this.#observer?.checkpointFailed?.(error);
    }
  }
}
