const LOOK_MS = 250;
/** A turn of the event loop that took longer makes the process unready for a while. */
export const STALL_MS_MAX = 2_000;
const REMEMBERED_MS = 5_000;

/** Notices that the event loop stood still: nothing was answered meanwhile. */
export class EventLoopWatch {
  readonly #timer: NodeJS.Timeout;
  #lookedAt = performance.now();
  #stalledAt = Number.NEGATIVE_INFINITY;
  #stallMs = 0;

  constructor() {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref();
  }

  /** The longest stall of the last seconds in milliseconds, where it was too long; else 0. */
  get stallMs(): number {
    return performance.now() - this.#stalledAt < REMEMBERED_MS ? this.#stallMs : 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const lateMs = now - this.#lookedAt - LOOK_MS;
    this.#lookedAt = now;
    if (lateMs < STALL_MS_MAX || lateMs < this.stallMs) return;
    this.#stalledAt = now;
    this.#stallMs = Math.round(lateMs);
  }
}
