import type { TaskOptions } from '@athena/contracts';
import { Table } from '@athena/event-log';
import { keyOf } from './agent.js';
import { Heap } from './heap.js';
import { Concurrency, Rate, type ConcurrencyRow, type RateRow } from './quota.js';
import { Terms, type TermsRow } from './terms.js';

/** Rate limits that no unfinished task has, kept until their buckets are full; the latest ones. */
export const IDLE_RATES_MAX = 100_000;
/** Idle rate limits that are looked at when one comes anew. */
const IDLE_LOOKS = 2;

type Quota = Concurrency | Rate;

/** The concurrency keys and rate limits of all projects. */
export class Quotas {
  readonly concurrencies = new Table<Concurrency>('concurrency');
  readonly rates = new Table<Rate>('rate');
  /** Oldest first. */
  readonly #idle = new Set<Rate>();
  readonly #due = new Heap<Rate>((a, b) => a.nextAt < b.nextAt);
  #freed = new Set<Quota>();
  #open = true;

  /** Whether all that counts is known: no earlier router can bring about assignments any more. */
  get open(): boolean {
    return this.#open;
  }
  /** When a rate limit that tasks wait for lets the next one through; null: none do. */
  get nextAt(): number | null {
    return this.#due.first?.nextAt ?? null;
  }

  /** The terms of a task that is created; of the options of one key the newest task's hold. */
  agree(project: string, options: TaskOptions | undefined, at: number): Terms | null {
    if (!options) return null;
    const { fairnessKey = null, concurrency, rateLimit } = options;
    if (fairnessKey === null && !concurrency && !rateLimit) return null;
    return new Terms(
      fairnessKey,
      concurrency ? this.#concurrency(project, concurrency) : null,
      rateLimit ? this.#rate(project, rateLimit, at) : null,
    );
  }

  /** The terms of a task as a checkpoint has them. */
  restored(project: string, { fairnessKey, concurrency, rate }: TermsRow): Terms {
    const find = <Q>(table: Table<Q>, name: string | null): Q | null =>
      (name === null ? undefined : table.get(keyOf(project, name))) ?? null;
    return new Terms(fairnessKey, find(this.concurrencies, concurrency), find(this.rates, rate));
  }

  restoreConcurrency(key: string, { max }: ConcurrencyRow): void {
    const concurrency = new Concurrency(...namesOf(key));
    concurrency.max = max;
    this.concurrencies.restore(key, concurrency);
  }

  restoreRate(key: string, row: RateRow): void {
    const rate = Object.assign(new Rate(...namesOf(key)), row);
    this.rates.restore(key, rate);
    this.#idle.add(rate);
  }

  join({ concurrency, rate }: Terms): void {
    if (concurrency) concurrency.users++;
    if (rate) rate.users++;
    if (rate) this.#idle.delete(rate);
  }

  leave({ concurrency, rate }: Terms): void {
    if (concurrency && --concurrency.users === 0) {
      this.concurrencies.delete(keyOf(concurrency.project, concurrency.name));
    }
    if (rate && --rate.users === 0) this.#idle.add(rate);
  }

  reserve({ concurrency, rate }: Terms, change: 1 | -1): void {
    if (concurrency) concurrency.reserved += change;
    if (rate) rate.reserved += change;
    if (change < 0) this.freed(concurrency, rate);
  }

  /** A task is with an agent from now on; of a rate limit that takes a token. */
  hold({ concurrency }: Terms): void {
    if (concurrency) concurrency.running++;
  }

  take({ rate }: Terms, at: number): void {
    if (!rate) return;
    rate.take(at);
    this.rates.edit(keyOf(rate.project, rate.name));
  }

  release({ concurrency }: Terms): void {
    if (!concurrency) return;
    concurrency.running--;
    this.freed(concurrency);
  }

  room(quota: Quota, now: number): number {
    return this.#open ? quota.room(now) : 0;
  }

  /** The one that keeps these tasks from being proposed; null: none. */
  spent(terms: Terms, now: number): Quota | null {
    return this.#open ? terms.spent(now) : (terms.concurrency ?? terms.rate);
  }

  /** Perhaps more of those who wait for it can go on. */
  freed(...quotas: readonly (Quota | null)[]): void {
    for (const quota of quotas) if (quota && quota.parked.size > 0) this.#freed.add(quota);
  }

  takeFreed(now: number): Iterable<Quota> {
    for (let { first } = this.#due; first && first.nextAt <= now; { first } = this.#due) {
      this.#due.remove(first);
      this.#freed.add(first);
    }
    if (this.#freed.size === 0) return NONE;
    const freed = this.#freed;
    this.#freed = new Set();
    return freed;
  }

  /** Notes when to look again at those that still wait for a rate limit. */
  expect(quota: Quota, now: number): void {
    if (!(quota instanceof Rate) || !this.#open) return;
    this.#due.remove(quota);
    if (quota.parked.size === 0) return;
    quota.nextAt = quota.roomAt(Math.max(0, quota.room(now)) + 1, now);
    this.#due.add(quota);
  }

  /** A router begins: until all partitions know of it, nobody knows what others have proposed. */
  shut(): void {
    this.#open = false;
  }

  unshut(): void {
    if (this.#open) return;
    this.#open = true;
    for (const concurrency of this.concurrencies.values()) this.freed(concurrency);
    for (const rate of this.rates.values()) this.freed(rate);
  }

  #concurrency(project: string, { key, max }: { key: string; max: number }): Concurrency {
    const id = keyOf(project, key);
    const concurrency = this.concurrencies.get(id) ?? new Concurrency(project, key);
    concurrency.max = max;
    this.freed(concurrency);
    return this.concurrencies.set(id, concurrency);
  }

  #rate(project: string, asked: NonNullable<TaskOptions['rateLimit']>, at: number): Rate {
    const { key, limit, periodMs } = asked;
    const id = keyOf(project, key);
    const known = this.rates.get(id);
    if (!known) this.#dropIdle(at);
    const rate = known ?? new Rate(project, key);
    rate.resize(limit, periodMs, at);
    this.freed(rate);
    return this.rates.set(id, rate);
  }

  /** A bucket that is full is like one that never was. */
  #dropIdle(at: number): void {
    let looks = IDLE_LOOKS;
    for (const rate of this.#idle) {
      if (looks-- === 0) return;
      this.#idle.delete(rate);
      if (rate.isFull(at) || this.#idle.size >= IDLE_RATES_MAX) {
        this.rates.delete(keyOf(rate.project, rate.name));
      } else {
        this.#idle.add(rate);
      }
    }
  }
}

const NONE: readonly Quota[] = [];

/** A project's id holds no slash. */
function namesOf(key: string): [project: string, name: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
