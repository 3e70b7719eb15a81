import type { Slotted } from './heap.js';
import type { Line } from './turn.js';

/** What tasks with the same key of a project may do at most, over all agents and partitions. */
abstract class Quota {
  readonly project: string;
  readonly name: string;
  /** Unfinished tasks under it. */
  users = 0;
  /** Of these, proposed: their assignments are neither in the fold nor refused. */
  reserved = 0;
  /**
   * Groups that wait for it to have room: none of their tasks is looked at before. By the line
   * that they come back to, so that one that stands still holds up no other.
   */
  readonly parked = new Map<Line, Line>();

  constructor(project: string, name: string) {
    this.project = project;
    this.name = name;
  }

  /** How many more can be proposed. */
  abstract room(now: number): number;
}

export interface ConcurrencyRow {
  readonly max: number;
}

/** At most `max` with agents at once. */
export class Concurrency extends Quota {
  max = 0;
  /** Tasks that are assigned or run. */
  running = 0;

  room(): number {
    return this.max - this.running - this.reserved;
  }

  /** The durable part: `running` is how many tasks are held. */
  toJSON(): ConcurrencyRow {
    return { max: this.max };
  }
}

export interface RateRow {
  readonly limit: number;
  readonly periodMs: number;
  readonly level: number;
  readonly at: number;
}

/**
 * A token bucket: full it holds `limit` tokens, and so many come in `periodMs`, evenly. All of it
 * is integers: a token is `periodMs` drops, of which `limit` come every millisecond.
 */
export class Rate extends Quota implements Slotted {
  slot = -1;
  limit = 0;
  periodMs = 0;
  /** Drops in it at `at`, the last time that a token was taken. */
  level = 0;
  at = 0;
  /** When those that wait for it are to be looked at. */
  nextAt = 0;

  room(now: number): number {
    return Math.floor(this.#levelAt(now) / this.periodMs) - this.reserved;
  }

  /** When so many more can be proposed. */
  roomAt(count: number, now: number): number {
    const lacking = (this.reserved + count) * this.periodMs - this.#levelAt(now);
    return Math.max(now, this.at) + Math.max(0, Math.ceil(lacking / this.limit));
  }

  /** An assignment is in the log. */
  take(now: number): void {
    this.level = this.#levelAt(now) - this.periodMs;
    this.at = Math.max(this.at, now);
  }

  /** A bucket of this size from now on; a new one is full. */
  resize(limit: number, periodMs: number, now: number): void {
    if (limit === this.limit && periodMs === this.periodMs) return;
    const tokens = this.periodMs === 0 ? limit : this.#levelAt(now) / this.periodMs;
    this.limit = limit;
    this.periodMs = periodMs;
    this.level = Math.floor(Math.min(limit, tokens) * periodMs);
    this.at = Math.max(this.at, now);
  }

  isFull(now: number): boolean {
    return this.#levelAt(now) === this.limit * this.periodMs;
  }

  /** The durable part. */
  toJSON(): RateRow {
    const { limit, periodMs, level, at } = this;
    return { limit, periodMs, level, at };
  }

  #levelAt(now: number): number {
    const come = Math.max(0, now - this.at) * this.limit;
    return Math.min(this.limit * this.periodMs, this.level + come);
  }
}
