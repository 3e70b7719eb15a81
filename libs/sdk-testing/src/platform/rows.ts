import type { Commit } from '@athena/event-log';
import type { Projection } from '@athena/projection/define';
import type { History } from './history.js';

type Row = Record<string, unknown>;

/** A projection's rows, folded from the log in memory by the projection's own functions. */
export class Rows<R extends object> {
  readonly #projection: Projection;
  readonly #history: History;
  readonly #rows = new Map<string, Row>();
  #folded = 0;

  constructor(projection: Projection, history: History) {
    this.#projection = projection;
    this.#history = history;
  }

  /** The row as of the log's end. */
  get(...key: readonly string[]): R | undefined {
    this.#catchUp();
    return this.#rows.get(key.join('\0')) as R | undefined;
  }

  #catchUp(): void {
    const { commits } = this.#history;
    for (const commit of commits.slice(this.#folded)) this.#fold(commit);
    this.#folded = commits.length;
  }

  #fold({ seq, at, header, events }: Commit): void {
    const { partition, rev } = header;
    const { aggregates } = this.#projection;
    if (aggregates && !aggregates.some((name) => partition.startsWith(`${name}.`))) return;
    events.forEach((event, index) => {
      const placed = { seq, index, at, partition, rev };
      const parts = this.#projection.keyOf(event, placed);
      if (!parts) return;
      const key = parts.join('\0');
      const row = this.#projection.apply(this.#rows.get(key) ?? null, event, placed);
      if (row) this.#rows.set(key, row);
      else this.#rows.delete(key);
    });
  }
}
