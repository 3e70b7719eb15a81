/** Times to assign that percentiles are taken from, the latest ones. */
export const RECENT_WAITS_MAX = 2_048;

export interface Percentiles {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** What was decided for one project since the router was opened. */
export class Figures {
  assigned = 0;
  refused = 0;
  readonly #waits: number[] = [];
  #next = 0;

  countAssigned(waitedMs: number): void {
    this.assigned++;
    this.#waits[this.#next] = waitedMs;
    this.#next = (this.#next + 1) % RECENT_WAITS_MAX;
  }

  /** Milliseconds, nearest rank. */
  get timeToAssignMs(): Percentiles {
    const sorted = [...this.#waits].sort((a, b) => a - b);
    const rank = (part: number): number | null =>
      sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? null;
    return { p50: rank(0.5), p95: rank(0.95), p99: rank(0.99) };
  }
}
