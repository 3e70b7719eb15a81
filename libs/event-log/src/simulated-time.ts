import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Timers } from './ports.js';

interface Planned {
  readonly at: number;
  readonly callback: () => void;
}

/** A clock that stands still and timers that fire when a test or a simulation says so. */
export class SimulatedTime implements Clock, Timers {
  #now: number;
  #planned: Planned[] = [];

  constructor(now = Date.parse('2026-01-01T00:00:00.000Z')) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    const planned = { at: this.#now + Math.max(0, ms), callback };
    this.#planned.push(planned);
    return () => {
      this.#planned = this.#planned.filter((other) => other !== planned);
    };
  }

  /** When the next timer fires; undefined: nothing is planned. */
  get nextAt(): number | undefined {
    if (this.#planned.length === 0) return undefined;
    return this.#planned.reduce((first, { at }) => Math.min(first, at), Infinity);
  }

  /**
   * Lets time pass: timers fire in order, those of one instant together (as Node's do), and all
   * that follows runs before the next.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let at = this.nextAt; at !== undefined && at <= until; at = this.nextAt) {
      this.#now = Math.max(this.#now, at);
      this.#fireAllOf(at);
      await this.settle();
    }
    this.#now = until;
  }

  /** The process stood still for a while: the clock has jumped, and then overdue timers fire. */
  async stall(ms: number): Promise<void> {
    this.#now += ms;
    await this.advance(0);
  }

  /** Sets the clock without firing anything, as when another process has a wrong one. */
  set(now: number): void {
    this.#now = now;
  }

  /** Runs everything that doesn't wait for time. */
  async settle(): Promise<void> {
    await turn();
  }

  #fireAllOf(instant: number): void {
    for (const planned of this.#planned.filter(({ at }) => at === instant)) {
      // One that fired before may have cancelled this one.
      if (!this.#planned.includes(planned)) continue;
      this.#planned = this.#planned.filter((other) => other !== planned);
      planned.callback();
    }
  }
}
