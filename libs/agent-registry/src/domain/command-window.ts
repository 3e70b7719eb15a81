import { limits } from '@athena/contracts';
import { Table } from '@athena/event-log';

/** A command that was carried out. `session` is the one it opened, where it opened one. */
interface Done {
  readonly at: number;
  /** Counts up, so that the order survives a restart. */
  readonly nth: number;
  readonly session?: number;
}

/**
 * Remembers the ids of commands that were carried out, so that a repeat changes nothing: for
 * IDEMPOTENCY_WINDOW_MS, at most IDEMPOTENCY_KEYS_MAX of them, the oldest forgotten first.
 */
export class CommandWindow {
  readonly table = new Table<Done>('commands');
  /** Keys in the order in which they came. */
  #order = new Set<string>();
  #nth = 0;

  /** What was recorded of the command within the window. */
  find(key: string, now: number): Done | undefined {
    const done = this.table.get(key);
    return done && now - done.at <= limits.IDEMPOTENCY_WINDOW_MS ? done : undefined;
  }

  record(key: string, at: number, session?: number): void {
    this.#order.delete(key);
    this.#order.add(key);
    this.#nth++;
    this.table.set(key, { at, nth: this.#nth, ...(session === undefined ? {} : { session }) });
    this.#forget(at);
  }

  /** Finds the order again after a load. */
  reindex(): void {
    const rows = [...this.table.entries()].sort(([, a], [, b]) => a.nth - b.nth);
    this.#order = new Set(rows.map(([key]) => key));
    this.#nth = rows.at(-1)?.[1].nth ?? 0;
  }

  #forget(now: number): void {
    for (const key of this.#order) {
      const expired = now - (this.table.get(key)?.at ?? 0) > limits.IDEMPOTENCY_WINDOW_MS;
      if (!expired && this.#order.size <= limits.IDEMPOTENCY_KEYS_MAX) return;
      this.#order.delete(key);
      this.table.delete(key);
    }
  }
}
