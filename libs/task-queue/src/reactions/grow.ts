import { adoptPartitions } from '@athena/contracts';
import { sleep, type Partition, type Timers } from '@athena/event-log';
import type { OperationCaller } from '@athena/service-kit';
import { growingTo } from '../domain/partitions.js';
import type { TaskState } from '../domain/state.js';

const RETRY_MS = 500;
const ACTOR = 'system:task-queue';

export interface GrowOptions {
  /** The first one, open here. */
  readonly home: Partition<TaskState>;
  readonly operations: OperationCaller;
  readonly timers: Timers;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Brings a recorded growth to its end: every partition adopts the new number, the added ones
 * first, and then it is activated. Whoever opens the first partition next goes on with it.
 */
export class Grow {
  readonly #options: GrowOptions;
  #stopped = false;
  #running: Promise<void> | null = null;

  constructor(options: GrowOptions) {
    this.#options = options;
  }

  /** There may be a growth to bring to its end. */
  consider(): void {
    const { home, timers, onFailure } = this.#options;
    if (this.#running || growingTo(home.state) === null) return;
    this.#running = this.#grow()
      .catch(async (error: unknown) => {
        if (this.#stopped) return;
        onFailure(error);
        await sleep(timers, RETRY_MS);
      })
      .finally(() => {
        this.#running = null;
        if (!this.#stopped) this.consider();
      });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #grow(): Promise<void> {
    const { home, operations } = this.#options;
    const partitions = growingTo(home.state);
    if (partitions === null) return;
    const since = home.position.seq;
    for (let partition = partitions - 1; partition >= 0 && !this.#stopped; partition--) {
      const input = { partition, partitions, since };
      await operations.call(adoptPartitions, input, { project: '', actor: ACTOR });
    }
    if (this.#stopped) return;
    const op = 'partitions.activate';
    const answer = await home.ask({ op, id: op, project: '', actor: ACTOR, input: {} });
    if ('refusal' in answer) throw new Error(answer.refusal.detail);
  }
}
