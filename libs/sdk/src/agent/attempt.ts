import type { ClaimedTask } from '@athena/contracts';
import { clientError } from '../errors.js';
import type { Time } from '../time.js';
import type { DropReason } from './notices.js';

const REASONS: Readonly<Record<DropReason, string>> = {
  cancelled: 'the task was cancelled',
  lease_lost: 'the task is no longer this agent’s: its lease ended',
  stopped: 'the agent stops and the task did not finish in time',
};

/** One claimed task while it is this agent's, from the claim's answer to the reported outcome. */
export class Attempt {
  readonly task: ClaimedTask;
  readonly #controller = new AbortController();
  readonly #time: Time;
  #begunAt: number;
  #dropped: DropReason | undefined;
  /** The platform knows that the work has begun. */
  started = false;
  /** The outcome is on its way: whether the lease holds is no question any more. */
  reporting = false;

  constructor(task: ClaimedTask, time: Time) {
    this.task = task;
    this.#time = time;
    this.#begunAt = time.now();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the work is given up; undefined while it is not. */
  get dropped(): DropReason | undefined {
    return this.#dropped;
  }

  /** Milliseconds since the handler began. */
  get elapsedMs(): number {
    return this.#time.now() - this.#begunAt;
  }

  begin(): void {
    this.#begunAt = this.#time.now();
  }

  /** Gives the work up: the handler's signal aborts and no outcome is reported. */
  drop(reason: DropReason): void {
    if (this.#dropped) return;
    this.#dropped = reason;
    this.#controller.abort(clientError(CODES[reason], REASONS[reason]));
  }
}

const CODES = {
  cancelled: 'TASK_CANCELLED',
  lease_lost: 'LEASE_LOST',
  stopped: 'AGENT_STOPPED',
} as const;
