import type { ClaimedTask, claimTasks } from '@athena/contracts';
import type { Output } from '@athena/operation';
import { sleep } from '../abort.js';
import {
  AGENT_PAUSE_MS_MAX,
  CLAIMS_OPEN_MAX,
  CLAIM_EMPTY_SOON_MS,
  CLAIM_WAIT_MS,
} from '../limits.js';
import type { RequestChannel } from '../nats/request-channel.js';
import { retryDelayMs } from '../retry.js';
import type { AgentNotice } from './notices.js';
import { persist } from './persistence.js';
import { isUnknownAgent } from './session.js';
import type { AgentVerbs } from './verbs.js';

type ClaimAnswer = Output<typeof claimTasks>;

export interface ClaimsParts {
  readonly channel: RequestChannel;
  readonly verbs: AgentVerbs;
  readonly notify: (notice: AgentNotice) => void;
  readonly concurrency: number;
  /** Slots in use. */
  readonly running: () => number;
  readonly onTasks: (tasks: readonly ClaimedTask[]) => void;
  /** Makes the agent known again. */
  readonly register: () => Promise<void>;
}

/**
 * Keeps every free slot offered to the platform: slots in use and credits of open claims always
 * add up to the concurrency. A claim whose answer was lost is asked again with its claimId, which
 * gets the tasks that were given to it.
 */
export class Claims {
  readonly #parts: ClaimsParts;
  readonly #stopped = new AbortController();
  #open = 0;
  #credits = 0;
  #ending = false;
  #planned = false;
  #onAnswered: (() => void) | undefined;
  #emptyInARow = 0;

  constructor(parts: ClaimsParts) {
    this.#parts = parts;
  }

  /** Offers free slots; those that become free in one turn of the event loop go together. */
  fill(): void {
    if (this.#planned || this.#ending) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      const free = this.#parts.concurrency - this.#parts.running() - this.#credits;
      if (!this.#ending && free > 0 && this.#open < CLAIMS_OPEN_MAX) void this.#claim(free);
    });
  }

  /** No new claims; open ones may still be answered. */
  end(): void {
    this.#ending = true;
  }

  /** Resolves when no claim is open any more. */
  answered(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onAnswered = resolve));
  }

  /** Gives open claims up too. */
  close(): void {
    this.#ending = true;
    this.#stopped.abort();
  }

  async #claim(capacity: number): Promise<void> {
    this.#open += 1;
    this.#credits += capacity;
    const begunAt = this.#parts.channel.surroundings.time.now();
    const { answer, error } = await this.#ask(capacity).then(
      (given) => ({ answer: given, error: undefined }),
      (thrown: unknown) => ({ answer: undefined, error: thrown }),
    );
    this.#credits -= capacity;
    if (answer) {
      this.#parts.onTasks(answer.tasks);
      if (answer.tasks.length > 0) this.#emptyInARow = 0;
      else if (this.#parts.channel.surroundings.time.now() - begunAt < CLAIM_EMPTY_SOON_MS)
        await this.#pause();
    } else {
      await this.#refused(error);
    }
    this.#open -= 1;
    if (this.#open === 0) this.#onAnswered?.();
    this.fill();
  }

  #ask(capacity: number): Promise<ClaimAnswer> {
    const { channel, verbs, notify } = this.#parts;
    const { signal } = this.#stopped;
    const claim = { capacity, waitMs: CLAIM_WAIT_MS, claimId: channel.surroundings.newId() };
    const onTrouble = (error: unknown): void => {
      if (channel.connected) notify({ type: 'trouble', doing: 'claim', error });
    };
    return persist({ channel, signal, onTrouble }, () => verbs.claim(claim, signal));
  }

  async #refused(error: unknown): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    try {
      if (isUnknownAgent(error)) return await this.#parts.register();
    } catch (refused) {
      error = refused;
    }
    this.#parts.notify({ type: 'trouble', doing: 'claim', error });
    await this.#pause();
  }

  /** For a platform that answers at once with nothing, as it does while the agent is draining. */
  async #pause(): Promise<void> {
    if (this.#ending) return;
    const delayMs = Math.min(AGENT_PAUSE_MS_MAX, retryDelayMs(this.#emptyInARow, 1));
    this.#emptyInARow += 1;
    const { time } = this.#parts.channel.surroundings;
    await sleep(time, delayMs, this.#stopped.signal).catch(() => {});
  }
}
