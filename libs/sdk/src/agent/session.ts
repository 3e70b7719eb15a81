import { limits } from '@athena/contracts';
import { AthenaError } from '../errors.js';
import type { RequestChannel } from '../nats/request-channel.js';
import { retrying } from '../retry.js';
import { CALL_BUDGET_MS } from '../limits.js';
import { ProcessLoad } from './load.js';
import type { AgentNotice } from './notices.js';
import { persist } from './persistence.js';
import type { AgentVerbs, Registration } from './verbs.js';

export interface SessionParts {
  readonly registration: Registration;
  readonly channel: RequestChannel;
  readonly verbs: AgentVerbs;
  readonly notify: (notice: AgentNotice) => void;
  /** Slots in use ÷ slots. */
  readonly load: () => number;
  /** After each heartbeat's answer; leases of an older session are gone. */
  readonly onBeat: (beat: { readonly sessionChanged: boolean }) => void;
}

/**
 * Keeps the agent known and present: registers, sends heartbeats, and registers again when the
 * platform no longer knows it. Heartbeats are a timer of this process: a handler that blocks the
 * event loop delays them, and after AGENT_PRESENCE_MS (60 s) without contact the agent counts as
 * gone and its tasks go to others. Longer computations belong in a worker thread or process.
 */
export class Session {
  readonly #parts: SessionParts;
  readonly #closed = new AbortController();
  readonly #processLoad = new ProcessLoad();
  #session = 0;
  #heartbeatMs = limits.AGENT_HEARTBEAT_MS;
  #registering: Promise<void> | undefined;
  #cancelBeat = (): void => {};
  #beating = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  get heartbeatMs(): number {
    return this.#heartbeatMs;
  }

  /** Registers for the first time, within CALL_BUDGET_MS. @throws AthenaError */
  async open(): Promise<void> {
    const { signal } = this.#closed;
    const { surroundings } = this.#parts.channel;
    const retries = { repeatable: true, budgetMs: CALL_BUDGET_MS, signal, surroundings };
    await retrying(retries, (timeoutMs) => this.#register(timeoutMs));
    this.#schedule();
  }

  /** Registers anew, once however many ask, and until it succeeds. @throws AthenaError refused */
  renew(): Promise<void> {
    const { channel, notify } = this.#parts;
    const onTrouble = (error: unknown): void =>
      notify({ type: 'trouble', doing: 'register', error });
    this.#registering ??= persist(
      { channel, signal: this.#closed.signal, onTrouble },
      (timeoutMs) => this.#register(timeoutMs),
    ).finally(() => (this.#registering = undefined));
    return this.#registering;
  }

  /** Shows itself now, and learns whether the session goes on. */
  async beat(): Promise<void> {
    if (this.#beating || this.#closed.signal.aborted || !this.#parts.channel.connected) return;
    this.#beating = true;
    try {
      const { cpu, memory } = this.#processLoad.measure();
      const load = this.#parts.load();
      const answer = await this.#parts.verbs.heartbeat({ load, cpu, memory });
      const sessionChanged = answer.session !== this.#session;
      this.#session = answer.session;
      this.#parts.onBeat({ sessionChanged });
    } catch (error) {
      await this.#beatFailed(error);
    } finally {
      this.#beating = false;
    }
  }

  close(): void {
    this.#cancelBeat();
    this.#closed.abort();
  }

  async #beatFailed(error: unknown): Promise<void> {
    if (this.#closed.signal.aborted) return;
    if (isUnknownAgent(error)) {
      await this.renew().catch((refused: unknown) => this.#trouble('register', refused));
      this.#parts.onBeat({ sessionChanged: true });
    } else if (this.#parts.channel.connected) {
      this.#trouble('heartbeat', error);
    }
  }

  #trouble(doing: string, error: unknown): void {
    if (!this.#closed.signal.aborted) this.#parts.notify({ type: 'trouble', doing, error });
  }

  async #register(timeoutMs: number): Promise<void> {
    const answer = await this.#parts.verbs.register(this.#parts.registration, timeoutMs);
    this.#session = answer.session;
    this.#heartbeatMs = answer.heartbeatMs || limits.AGENT_HEARTBEAT_MS;
    this.#parts.notify({ type: 'registered', session: answer.session });
  }

  #schedule(): void {
    const { time } = this.#parts.channel.surroundings;
    this.#cancelBeat = time.after(this.#heartbeatMs, () => {
      this.#schedule();
      void this.beat();
    });
  }
}

export const isUnknownAgent = (error: unknown): boolean =>
  error instanceof AthenaError && error.code === 'AGENT_NOT_FOUND';
