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

  /** Lets time pass: timers fire in order, each at its own instant, and all that follows runs. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let next = this.#due(until); next; next = this.#due(until)) {
      this.#now = Math.max(this.#now, next.at);
      this.#fire(next);
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

  #due(until: number): Planned | undefined {
    const due = this.#planned.filter(({ at }) => at <= until);
    return due.reduce<Planned | undefined>(
      (first, planned) => (!first || planned.at < first.at ? planned : first),
      undefined,
    );
  }

  #fire(planned: Planned): void {
    this.#planned = this.#planned.filter((other) => other !== planned);
    planned.callback();
  }
}
