import {
  AppendRefused,
  AppendUnknown,
  LogUnavailable,
  MESSAGE_BYTES_MAX,
  WrongLastSequence,
  type EventLog,
  type FollowOptions,
  type Follower,
  type RawMessage,
  type Seq,
} from './port.js';
import type { Commit } from './commit.js';
import { MemorySource, type MemoryLogView } from './memory-source.js';
import { followSource, readSource } from './message-source.js';
import { sleep, systemTimers, type Timers } from './ports.js';

/** What goes wrong with one append. The caller sees AppendUnknown, of `refuse` AppendRefused. */
export type AppendFault =
  /** It is in the log, but nobody is told. */
  | { readonly kind: 'lose-ack' }
  /** It never arrives. */
  | { readonly kind: 'lose' }
  /** It is tried after a while, when nobody waits for it any more. */
  | { readonly kind: 'late'; readonly ms: number }
  | { readonly kind: 'refuse'; readonly reason: string };

export interface MemoryLogOptions {
  readonly timers?: Timers;
  /** How long an acknowledgement is on its way; absent: none at all. */
  readonly ackMs?: number;
  /** Asked before every append; `failNext` goes before it. */
  readonly faults?: () => AppendFault | undefined;
}

/**
 * The event log in memory: deterministic, with every misfortune of a real one on request. It is
 * what specs and simulations run on, and passes the same conformance suite as the real log.
 */
export class MemoryLog implements EventLog {
  readonly #timers: Timers;
  readonly #faults: () => AppendFault | undefined;
  readonly #planned: AppendFault[] = [];
  readonly #ackMs: number | undefined;
  #messages: RawMessage[] = [];
  #lastSeqs = new Map<string, Seq>();
  #paused = false;
  #arrivedInPause: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(options: MemoryLogOptions = {}) {
    this.#timers = options.timers ?? systemTimers;
    this.#ackMs = options.ackMs;
    this.#faults = options.faults ?? (() => undefined);
  }

  /** Everything that is in the log, for assertions. */
  get messages(): readonly RawMessage[] {
    return this.#messages;
  }

  /** The next appends meet these faults, in order. */
  failNext(...faults: readonly AppendFault[]): void {
    this.#planned.push(...faults);
  }

  /**
   * The broker hangs: questions fail, appends time out (and are tried when it goes on, as was
   * seen of a real one), followers hear nothing.
   */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const arrive of this.#arrivedInPause.splice(0)) arrive();
    this.#changed();
  }

  /** A crash that loses the last messages, although they were acknowledged. */
  loseTail(count: number): void {
    this.#messages = this.#messages.slice(0, Math.max(0, this.#messages.length - count));
    this.#lastSeqs = new Map(this.#messages.map(({ subject, seq }) => [subject, seq]));
    this.#changed();
  }

  async append(subject: string, payload: Uint8Array, expectedLastSeq: Seq): Promise<Seq> {
    if (payload.byteLength > MESSAGE_BYTES_MAX) {
      throw new AppendRefused(`a message may hold ${MESSAGE_BYTES_MAX} bytes`);
    }
    const store = (): Seq => this.#store(subject, payload, expectedLastSeq);
    const late = (): void => void attempt(store);
    if (this.#paused) {
      this.#arrivedInPause.push(late);
      throw new AppendUnknown('the log is paused');
    }
    const fault = this.#planned.shift() ?? this.#faults();
    if (!fault) {
      const seq = store();
      if (this.#ackMs !== undefined) await sleep(this.#timers, this.#ackMs);
      return seq;
    }
    if (fault.kind === 'refuse') throw new AppendRefused(fault.reason);
    if (fault.kind === 'lose-ack') late();
    if (fault.kind === 'late') this.#timers.after(fault.ms, late);
    throw new AppendUnknown(`no acknowledgement (fault: ${fault.kind})`);
  }

  async lastSeq(subject: string): Promise<Seq> {
    this.#available();
    return this.#lastSeqs.get(subject) ?? 0;
  }

  async endSeq(): Promise<Seq> {
    this.#available();
    return this.#messages.length;
  }

  async get(seq: Seq): Promise<RawMessage | null> {
    this.#available();
    return this.#messages[seq - 1] ?? null;
  }

  async *read({ from, subjects }: FollowOptions): AsyncGenerator<readonly Commit[]> {
    const end = await this.endSeq();
    if (from === end + 1) return;
    yield* readSource(this.#source(from), end, subjects);
  }

  follow(
    { from, subjects }: FollowOptions,
    onCommits: (commits: readonly Commit[], seen: Seq) => void | Promise<void>,
  ): Follower {
    return followSource(this.#source(from), subjects, onCommits);
  }

  #store(subject: string, payload: Uint8Array, expectedLastSeq: Seq): Seq {
    const last = this.#lastSeqs.get(subject) ?? 0;
    if (last !== expectedLastSeq) {
      throw new WrongLastSequence(`${subject}: expected ${expectedLastSeq}, the log has ${last}`);
    }
    const seq = this.#messages.length + 1;
    this.#messages.push({ seq, subject, payload: new Uint8Array(payload) });
    this.#lastSeqs.set(subject, seq);
    this.#changed();
    return seq;
  }

  #source(from: Seq): MemorySource {
    const view: MemoryLogView = {
      messages: () => this.#messages,
      paused: () => this.#paused,
      changed: () => new Promise((resolve) => this.#waiting.push(resolve)),
    };
    return new MemorySource(view, from);
  }

  #available(): void {
    if (this.#paused) throw new LogUnavailable('the log is paused');
  }

  #changed(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

const attempt = (store: () => Seq): void => {
  try {
    store();
  } catch {
    // Refused after all; nobody is told.
  }
};
