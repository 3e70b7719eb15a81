import {
  INTERNAL,
  NOT_OWNER,
  OVERLOADED,
  PROTOCOL,
  UNAVAILABLE,
  refuse,
  type Refusal,
} from '@athena/operation';
import { BatchDecider, type Batch, type Queued, type Settled } from './batch.js';
import { Checkpointer } from './checkpointer.js';
import { decodeCommit, subjectOf } from './commit.js';
import { CLOCKS_RESTARTED, PARTITION_OPENED, type Command, type Decider } from './decider.js';
import { Fold, type Position } from './fold.js';
import { Parking } from './parking.js';
import { PartitionWriter } from './partition-writer.js';
import { AppendRefused, WrongLastSequence } from './port.js';
import type { EventLog, Seq, StateStore } from './port.js';
import { TIMER_MS_MAX, systemClock, systemTimers, type Clock, type Timers } from './ports.js';
import { RecordFetch, type FetchRecords } from './record-fetch.js';

/** Commands that wait to be decided, or for what they need; as many again may be parked. */
export const QUEUE_LENGTH_MAX = 50_000;
export const PARKED_MAX = 50_000;
/** A process further behind the log's last time than this is not fit to own. */
export const CLOCK_LAG_MS_MAX = 2_000;
/**
 * An owner that stood still or waited for the log so long restarts the clocks that judge others.
 */
export const STALL_MS = 3_000;
/**
 * How long a log that gives no outcome is asked again before an opening, or a closing, gives up.
 */
export const OPEN_MS_MAX = 15_000;
export const CLOSE_MS_MAX = 5_000;
const OPEN_ATTEMPTS_MAX = 20;
const TICK_MS = 1_000;

export type Answer = { readonly ok: unknown; readonly seq: Seq } | { readonly refusal: Refusal };
export type Respond = (answer: Answer) => void;

/** What a partition tells its surroundings, for metrics and logs. */
export interface PartitionObserver {
  appended?(event: { ms: number; commands: number; events: number; bytes: number }): void;
  checkpointed?(event: { ms: number; rows: number; seq: Seq }): void;
  checkpointFailed?(error: unknown): void;
  /** A fault of the program in one decision, answer or response; the partition goes on. */
  fault?(error: unknown): void;
}

export interface PartitionOptions<S> {
  /** `<aggregate>.<number>`. */
  readonly name: string;
  readonly log: EventLog;
  readonly decider: Decider<S>;
  readonly store?: StateStore;
  /** This process, for the record in `PartitionOpened`. */
  readonly owner: string;
  /** What this process speaks; default: PROTOCOL. */
  readonly protocol?: number;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** Fetches what decisions `need`: records of finished aggregates by id; once per batch. */
  readonly fetch?: FetchRecords;
  /** Called once when this owner has stood down; whoever hosts it may open anew. */
  readonly onStandDown?: (reason: Error) => void;
  readonly observer?: PartitionObserver;
}

/**
 * The single writer of one partition: takes all commands that wait, decides them in order against
 * memory, appends all their events as one message, and answers when the log has acknowledged.
 */
export class Partition<S> {
  readonly name: string;
  readonly #options: PartitionOptions<S>;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #fold: Fold<S>;
  readonly #batches: BatchDecider<S>;
  readonly #writer: PartitionWriter;
  readonly #parking: Parking;
  readonly #records: RecordFetch;
  readonly #checkpointer: Checkpointer<S>;
  #epoch = 0;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #running: Promise<void> | null = null;
  #closing: Promise<void> | null = null;
  #cancelTimer: (() => void) | null = null;
  #cancelTick: (() => void) | null = null;
  #aliveAt = 0;
  /** Due work that yields nothing would be asked for without end: it waits for the next tick. */
  #dueStuck = false;

  private constructor(options: PartitionOptions<S>, fold: Fold<S>) {
    const { name, log, owner, store, observer } = options;
    this.name = name;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#fold = fold;
    this.#batches = new BatchDecider(fold, { owner, onFault: (error) => this.#fault(error) });
    this.#writer = new PartitionWriter(log, subjectOf(name), this.#timers);
    this.#parking = new Parking(this.#clock, this.#timers, (queued) => this.#resume(queued));
    this.#records = new RecordFetch({
      fetch: options.fetch,
      decideAgain: (queued) => this.#resume(queued),
      refuse: (queued, refusal) => this.#respond(queued, { refusal }),
      onFault: (error) => this.#fault(error),
    });
    this.#checkpointer = new Checkpointer(fold, this.#clock, store, observer);
  }

  /**
   * Becomes the owner: folds to the end and appends `PartitionOpened` behind the last message it
   * folded, which fences every earlier owner.
   * @param standby a fold that followed the log until now; else the state is loaded.
   * @throws NewerFormat where a later release has written to it; where the clock is behind the log,
   * others keep appending, or the log gives no outcome
   */
  static async open<S>(options: PartitionOptions<S>, standby?: Fold<S>): Promise<Partition<S>> {
    const { name, decider, log, store, protocol } = options;
    const fold = standby ?? (await Fold.load(name, decider, log, store, protocol));
    const partition = new Partition(options, fold);
    await partition.#open();
    return partition;
  }

  get epoch(): number {
    return this.#epoch;
  }
  get position(): Position {
    return this.#fold.position;
  }
  /** Read only, and only for answers that a later confirmation covers. */
  get state(): S {
    return this.#fold.state;
  }
  get waiting(): number {
    return this.#batches.waiting + this.#records.waiting;
  }

  /** Hands a command in; `respond` is called exactly once. */
  submit(command: Command, respond: Respond): void {
    if (this.#state !== 'open') return respond({ refusal: this.#notOwner() });
    if (this.waiting >= QUEUE_LENGTH_MAX) {
      return respond({ refusal: refuse(OVERLOADED, `${QUEUE_LENGTH_MAX} commands are waiting`) });
    }
    this.#batches.add({ command, respond, arrivedAt: this.#clock.now() });
    this.#kick();
  }

  /** The promise form of `submit`. */
  ask(command: Command): Promise<Answer> {
    return new Promise((resolve) => this.submit(command, resolve));
  }

  /** The owner was cut off for so long: clocks that judge others restart in full. */
  restartClocks(stalledMs: number): void {
    if (this.#state !== 'open') return;
    this.#batches.addKernel(CLOCKS_RESTARTED, { stalledMs });
    this.#kick();
  }

  /** Finishes what is under way, writes a last checkpoint, refuses the rest. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#state === 'closed') return this.#checkpointer.idle();
    this.#state = 'closing';
    const cancel = this.#timers.after(CLOSE_MS_MAX, () => this.#writer.giveUp());
    while (this.#running) await this.#running;
    cancel();
    // Standing down meanwhile has left a state that must not be stored.
    if (this.#stoodDown) return this.#checkpointer.idle();
    this.#stop(this.#notOwner());
    await this.#checkpointer.finish();
  }

  get #stoodDown(): boolean {
    return this.#state === 'closed';
  }

  async #open(): Promise<void> {
    const cancel = this.#timers.after(OPEN_MS_MAX, () => this.#writer.giveUp());
    try {
      for (let attempt = 1; !(await this.#tryToOpen()); attempt++) {
        if (attempt === OPEN_ATTEMPTS_MAX) {
          throw new Error(`${this.name}: others keep appending; not opened`);
        }
        await this.#fold.catchUp(this.#options.log);
      }
    } finally {
      cancel();
    }
    this.#aliveAt = this.#clock.now();
    this.#tick();
    this.#kick();
  }

  /** False: another message came first. Nothing is folded before it is in the log. */
  async #tryToOpen(): Promise<boolean> {
    if (this.#fold.newer) throw this.#fold.newer;
    const { at, epoch, seq: expected } = this.#fold.position;
    if (this.#clock.now() < at - CLOCK_LAG_MS_MAX) {
      throw new Error(
        `${this.name}: this machine's clock is ${at - this.#clock.now()} ms behind the log; set it`,
      );
    }
    this.#epoch = epoch + 1;
    const { owner, protocol = PROTOCOL } = this.#options;
    const data = { owner, protocol };
    const bytes = this.#batches.kernelCommit(PARTITION_OPENED, data, this.#now(), this.#epoch);
    try {
      const seq = await this.#writer.append(bytes, expected);
      this.#fold.apply(decodeCommit(seq, subjectOf(this.name), bytes));
      return true;
    } catch (error) {
      if (error instanceof WrongLastSequence) return false;
      throw error;
    }
  }

  #tick(): void {
    this.#cancelTick = this.#timers.after(TICK_MS, () => {
      this.#noticeStall();
      this.#aliveAt = this.#clock.now();
      this.#dueStuck = false;
      if (!this.#running) this.#checkpointer.maybe();
      this.#kick();
      if (this.#state === 'open') this.#tick();
    });
  }

  /** The process was stopped or stalled: nobody may be judged by the time that has passed. */
  #noticeStall(): boolean {
    const stalledMs = this.#clock.now() - this.#aliveAt;
    if (stalledMs <= STALL_MS) return false;
    this.#aliveAt = this.#clock.now();
    this.#batches.addKernel(CLOCKS_RESTARTED, { stalledMs });
    return true;
  }

  #now(): number {
    return Math.max(Math.trunc(this.#clock.now()), this.#fold.position.at);
  }

  #kick(): void {
    if (this.#running || this.#stoodDown) return;
    // A microtask later, so that all commands of one network read share a commit.
    this.#running = Promise.resolve()
      .then(() => this.#run())
      .catch((error: unknown) => this.#standDown(error as Error))
      .finally(() => {
        this.#running = null;
        if (this.#batches.waiting > 0) this.#kick();
      });
  }

  async #run(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    while (this.#hasWork()) await this.#turn();
    this.#armTimer();
  }

  #hasWork(): boolean {
    if (this.#stoodDown) return false;
    return this.#batches.waiting > 0 || this.#due();
  }

  #due(): boolean {
    const dueAt = this.#fold.decider.nextDueAt(this.#fold.state);
    return dueAt !== undefined && dueAt <= this.#now() && !this.#dueStuck;
  }

  /** One batch: decide, append (or confirm), answer. */
  async #turn(): Promise<void> {
    const now = this.#now();
    const due = !this.#noticeStall() && this.#due();
    if (due) this.#batches.addDue(this.#fold.decider.due(this.#fold.state, now));
    const batch = this.#batches.decide(now, this.#epoch);
    const began = this.#clock.now();
    const seq = await this.#settle(batch);
    this.#batches.settled(batch, seq);
    const waitedMs = this.#clock.now() - began;
    if (waitedMs > STALL_MS) this.#batches.addKernel(CLOCKS_RESTARTED, { stalledMs: waitedMs });
    this.#handOver(batch, seq);
    this.#dueStuck = due && batch.payload === null && this.#due();
    if (this.#dueStuck) this.#fault(new Error(`${this.name}: due work yields nothing`));
    this.#checkpointer.maybe();
  }

  /** Position up to which everything answered now is known to be in the log. */
  async #settle({ payload, events, answers }: Batch): Promise<Seq> {
    const { seq: expected } = this.#fold.position;
    const commands = answers.length;
    if (!payload) {
      // Answers without events are given only by who still is the last writer.
      if (commands > 0) await this.#writer.confirm(expected);
      return expected;
    }
    const began = performance.now();
    const seq = await this.#writer.append(payload, expected);
    const ms = performance.now() - began;
    this.#options.observer?.appended?.({ ms, commands, events, bytes: payload.length });
    return seq;
  }

  #handOver({ answers, parks, fetches }: Batch, seq: Seq): void {
    for (const settled of answers) this.#answer(settled, seq);
    for (const { queued, key, until } of parks) this.#park(queued, key, until);
    if (fetches.length > 0) void this.#records.start(fetches);
    for (const key of this.#fold.decider.takeWoken?.(this.#fold.state) ?? []) {
      this.#parking.wake(key);
    }
  }

  #answer({ queued, answer }: Settled, seq: Seq): void {
    let given: Answer;
    try {
      given = answer(seq);
    } catch (error) {
      this.#fault(error);
      given = { refusal: refuse(INTERNAL, 'the answer can’t be given; the command was done') };
    }
    this.#respond(queued, given);
  }

  #respond(queued: Queued, answer: Answer): void {
    try {
      queued.respond(answer);
    } catch (error) {
      this.#fault(error);
    }
  }

  #park(queued: Queued, key: string, until: number): void {
    if (this.#parking.size < PARKED_MAX) return this.#parking.add(queued, key, until);
    this.#respond(queued, { refusal: refuse(OVERLOADED, `${PARKED_MAX} commands are parked`) });
  }

  /** To be decided again, now that something has changed for it. */
  #resume(queued: Queued): void {
    if (this.#state !== 'open') return this.#respond(queued, { refusal: this.#notOwner() });
    this.#batches.add(queued);
    this.#kick();
  }

  #armTimer(): void {
    const dueAt = this.#fold.decider.nextDueAt(this.#fold.state);
    if (dueAt === undefined || this.#dueStuck || this.#state !== 'open') return;
    const ms = Math.min(TIMER_MS_MAX, Math.max(0, dueAt - this.#clock.now()));
    this.#cancelTimer = this.#timers.after(ms, () => this.#kick());
  }

  #notOwner(): Refusal {
    return refuse(NOT_OWNER, `${this.name} is not (or no longer) owned here`);
  }

  #stop(refusal: Refusal): void {
    this.#state = 'closed';
    this.#cancelTimer?.();
    this.#cancelTick?.();
    const left = [...this.#batches.takeAll(), ...this.#parking.takeAll()];
    for (const queued of left) this.#respond(queued, { refusal });
  }

  /** Memory may be ahead of the log now: it is not used any more. */
  #standDown(reason: Error): void {
    if (this.#stoodDown) return;
    const full = reason instanceof AppendRefused;
    const detail = `the log takes no events now: ${reason.message}`;
    this.#stop(full ? refuse(UNAVAILABLE, detail) : this.#notOwner());
    this.#options.onStandDown?.(reason);
  }

  #fault(error: unknown): void {
    this.#options.observer?.fault?.(error);
  }
}
