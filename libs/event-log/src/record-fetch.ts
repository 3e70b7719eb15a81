import { INTERNAL, UNAVAILABLE, refuse, type Refusal } from '@athena/operation';
import type { Batch, Queued } from './batch.js';

export type FetchRecords = (ids: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;

export interface RecordFetchOptions {
  readonly fetch: FetchRecords | undefined;
  /** The command now has what it asked for. */
  readonly decideAgain: (queued: Queued) => void;
  readonly refuse: (queued: Queued, refusal: Refusal) => void;
  readonly onFault: (error: unknown) => void;
}

/** Gets records of finished aggregates for decisions that need them: one fetch per batch. */
export class RecordFetch {
  readonly #options: RecordFetchOptions;
  #waiting = 0;

  constructor(options: RecordFetchOptions) {
    this.#options = options;
  }

  /** Commands that wait for records now. */
  get waiting(): number {
    return this.#waiting;
  }

  async start(fetches: Batch['fetches']): Promise<void> {
    this.#waiting += fetches.length;
    const found = await this.#fetch(new Set(fetches.flatMap(({ ids }) => ids)));
    this.#waiting -= fetches.length;
    for (const { queued, ids } of fetches) {
      if (found) this.#retry(queued, ids, found);
      else this.#options.refuse(queued, unreadable);
    }
  }

  async #fetch(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, unknown> | null> {
    try {
      if (!this.#options.fetch) throw new Error('there is nothing to fetch records from');
      return await this.#options.fetch([...ids]);
    } catch (error) {
      this.#options.onFault(error);
      return null;
    }
  }

  #retry(queued: Queued, ids: readonly string[], found: ReadonlyMap<string, unknown>): void {
    if (ids.every((id) => queued.fetched?.has(id))) {
      this.#options.onFault(new Error(`${queued.command.op} asks again for what it was given`));
      return this.#options.refuse(queued, endless);
    }
    const fetched = new Map(queued.fetched);
    for (const id of ids) fetched.set(id, found.get(id) ?? null);
    this.#options.decideAgain({ ...queued, fetched });
  }
}

const unreadable = refuse(
  UNAVAILABLE,
  'records of finished work can’t be read now (is Postgres up?)',
);
const endless = refuse(INTERNAL, 'the decision does not end; nothing was changed');
