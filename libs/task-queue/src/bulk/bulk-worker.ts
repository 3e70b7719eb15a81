import { limits } from '@athena/contracts';
import { systemClock, systemTimers, type Clock, type Timers } from '@athena/event-log';
import { Refused } from '@athena/operation';
import { inTransaction } from '@athena/projection';
import type { OperationCaller } from '@athena/service-kit';
import type { Pool, PoolClient } from 'pg';
import { actions } from './actions.js';
import { failJob, notePage, putOff, takePage, type Page, type Refusals } from './bulk-jobs.js';

/** Tasks between two notes of how far a job is; what a crash makes to be asked again. */
export const PAGE_TASKS = 100;
const PAGE_MS = (PAGE_TASKS * 1_000) / limits.BULK_TASKS_PER_SECOND;
/** Jobs that other processes took in, and those that they left behind. */
const LOOK_MS = 1_000;
/** A process that hangs lets go of its job: longer than any command takes. */
const HOLD_MS_MAX = 60_000;

export interface BulkWorkerOptions {
  readonly pool: Pick<Pool, 'connect'>;
  readonly calls: OperationCaller;
  readonly onFailure: (error: unknown) => void;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/**
 * Does the bulk operations, page by page, at a bounded rate. Of several processes one does a page,
 * whoever holds the job's row meanwhile. A page whose process died is done once more, which changes
 * nothing of what had been done.
 */
export class BulkWorker {
  readonly #options: BulkWorkerOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #working: Promise<void> | null = null;
  #cancel: (() => void) | null = null;
  #state: 'made' | 'started' | 'stopping' = 'made';

  constructor(options: BulkWorkerOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
  }

  start(): void {
    this.#state = 'started';
    this.soon();
  }

  /** There is something to do. */
  soon(): void {
    if (this.#state !== 'started' || this.#working) return;
    this.#cancel?.();
    this.#lookAfter(0);
  }

  /** The page under way is ended; another process, or the next, goes on behind it. */
  async stop(): Promise<void> {
    this.#state = 'stopping';
    this.#cancel?.();
    await this.#working;
  }

  #lookAfter(ms: number): void {
    this.#cancel = this.#timers.after(ms, () => {
      this.#working = this.#look().then((next) => {
        this.#working = null;
        if (this.#state === 'started') this.#lookAfter(next);
      });
    });
  }

  /** @returns after how long to look again */
  async #look(): Promise<number> {
    const began = this.#clock.now();
    try {
      if (!(await this.#doPage())) return LOOK_MS;
      return Math.max(0, PAGE_MS - (this.#clock.now() - began));
    } catch (error) {
      this.#options.onFailure(error);
      return LOOK_MS;
    }
  }

  /** @returns whether there was a page that could be done */
  async #doPage(): Promise<boolean> {
    const client = await this.#options.pool.connect();
    let lost: Error | undefined;
    try {
      return await inTransaction(client, () => this.#inHold(client));
    } catch (error) {
      lost = error as Error;
      throw error;
    } finally {
      // A connection in an unknown state is not used again.
      client.release(lost);
    }
  }

  async #inHold(client: PoolClient): Promise<boolean> {
    await client.query(`set local idle_in_transaction_session_timeout = ${HOLD_MS_MAX}`);
    const page = await takePage(client, PAGE_TASKS);
    if (!page) return false;
    try {
      const refusals = await this.#doAll(page);
      if (refusals) await notePage(client, page, refusals);
      else await putOff(client, page);
    } catch (error) {
      if (!(error instanceof BrokenCall)) throw error;
      this.#options.onFailure(error);
      await failJob(client, page, error);
    }
    return true;
  }

  /** Null: some could not be done now. */
  async #doAll(page: Page): Promise<Refusals | null> {
    const outcomes = await Promise.all(page.taskIds.map((taskId) => this.#do(page, taskId)));
    const refusals: Record<string, number> = {};
    for (const refused of outcomes) {
      if (!refused) continue;
      if (refused.retryable) return null;
      refusals[refused.code] = (refusals[refused.code] ?? 0) + 1;
    }
    return refusals;
  }

  /** In the name of whoever asked for it all. */
  async #do(page: Page, taskId: string): Promise<Refused['refusal'] | null> {
    const { operation, inputOf } = actions[page.action];
    const { project, by: actor, bulkId: correlation } = page;
    try {
      await this.#options.calls.call(operation, inputOf(taskId, page), {
        ...{ project, actor, correlation },
      });
      return null;
    } catch (error) {
      if (error instanceof Refused) return error.refusal;
      throw new BrokenCall(`${operation.name} of task ${taskId}: ${String(error)}`);
    }
  }
}

/** A call that ended otherwise than with an answer or a refusal: repeating it would not help. */
class BrokenCall extends Error {
  override readonly name = 'BrokenCall';
}
