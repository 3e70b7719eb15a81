import type { Concurrency, Rate } from './quota.js';

/** What a task's options say about its order and its limits; nearly all tasks have none. */
export class Terms {
  readonly fairnessKey: string | null;
  readonly concurrency: Concurrency | null;
  readonly rate: Rate | null;
  /** Equal for tasks that are alike in this. */
  readonly signature: string;

  constructor(fairnessKey: string | null, concurrency: Concurrency | null, rate: Rate | null) {
    this.fairnessKey = fairnessKey;
    this.concurrency = concurrency;
    this.rate = rate;
    this.signature = JSON.stringify(this);
  }

  /** The one that keeps its tasks from being proposed; null: none. */
  spent(now: number): Concurrency | Rate | null {
    const { concurrency, rate } = this;
    if (concurrency && concurrency.room() <= 0) return concurrency;
    return rate && rate.room(now) <= 0 ? rate : null;
  }

  /** The durable part. */
  toJSON(): TermsRow {
    const { fairnessKey, concurrency, rate } = this;
    return { fairnessKey, concurrency: concurrency?.name ?? null, rate: rate?.name ?? null };
  }
}

export interface TermsRow {
  readonly fairnessKey: string | null;
  readonly concurrency: string | null;
  readonly rate: string | null;
}
