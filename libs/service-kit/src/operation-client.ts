import { limits } from '@athena/contracts';
import {
  systemClock,
  systemIds,
  systemTimers,
  type Clock,
  type Ids,
  type Timers,
} from '@athena/event-log';
import {
  OVERLOADED,
  PAYLOAD_TOO_LARGE,
  Refused,
  newAggregateId,
  partitionFor,
  partitionSubject,
  serviceSubject,
  type Input,
  type Operation,
  type Output,
  type WireCommand,
} from '@athena/operation';
import type { Bus, BusSubscription } from './bus.js';

import { CallTarget, type TargetSurroundings } from './call-target.js';
import type { Called, Caller, OperationCaller } from './calling.js';
import { NatsLink } from './nats-link.js';
import { OPENED_PREFIX, decodeOpened } from './opened.js';
import { Peers } from './peers.js';
import { PendingCall } from './pending-call.js';
import { ReplyInbox } from './reply-inbox.js';
import { ITEM_BYTES_MAX } from './wire-codec.js';

/** Calls of this process that wait for their answers. */
export const CALLS_WAITING_MAX = 50_000;
/** After this long without an answer a message is sent again, the same bytes. */
export const PARTITION_TRY_MS = 1_000;
/** Another process of a service may get the repeat, so that it is given more time first. */
export const SERVICE_TRY_MS = 5_000;
const SWEEP_MS = 50;
const ID_RANDOM_BYTES = 8;

export interface CallObserver {
  /** `code` is the refusal's; undefined: it was answered. */
  called(operation: Operation, ms: number, code: string | undefined): void;
}

export interface OperationClientOptions {
  readonly nats: Bus;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly ids?: Ids;
  readonly observer?: CallObserver;
  /** Default: those of the connection. */
  readonly peers?: Peers;
}

/** Calls operations over NATS; see OperationCaller for what it promises. */
export class OperationClient implements OperationCaller {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #ids: Ids;
  readonly #observer: CallObserver | undefined;
  readonly #surroundings: TargetSurroundings;
  readonly #targets = new Map<string, CallTarget>();
  readonly #opened: BusSubscription;
  readonly #unwatch: () => void;
  readonly #dirty = new Set<CallTarget>();
  #waiting = 0;
  #queries = 0;
  #cancelSweep: (() => void) | null = null;

  constructor({
    nats,
    clock,
    timers,
    ids,
    observer,
    peers = Peers.of(nats),
  }: OperationClientOptions) {
    this.#clock = clock ?? systemClock;
    this.#timers = timers ?? systemTimers;
    this.#ids = ids ?? systemIds;
    this.#observer = observer;
    const link = NatsLink.of(nats);
    const inbox = new ReplyInbox(nats);
    this.#surroundings = { nats, link, inbox, clock: this.#clock, peers };
    this.#unwatch = link.onChange((connected) => connected && this.#resendAll());
    this.#opened = nats.subscribe(`${OPENED_PREFIX}>`, {
      callback: (error, { subject, data }) => {
        const opening = error ? null : decodeOpened(subject, data);
        if (opening) this.#targets.get(opening.subject)?.opened(opening.epoch);
      },
    });
  }

  async call<T extends Operation>(
    operation: T,
    input: Input<T>,
    caller: Caller,
  ): Promise<Called<Output<T>>> {
    if (this.#waiting >= CALLS_WAITING_MAX) {
      throw Refused.because(OVERLOADED, `${CALLS_WAITING_MAX} calls are waiting in this process`);
    }
    const began = this.#clock.now();
    this.#waiting++;
    try {
      const answer = await this.#send(operation, input, caller);
      this.#observer?.called(operation, this.#clock.now() - began, undefined);
      return answer as Called<Output<T>>;
    } catch (error) {
      const code = error instanceof Refused ? error.refusal.code : 'INTERNAL';
      this.#observer?.called(operation, this.#clock.now() - began, code);
      throw error;
    } finally {
      this.#waiting--;
    }
  }

  /** Gives up what is under way; the connection stays open. */
  close(): void {
    this.#cancelSweep?.();
    this.#unwatch();
    this.#opened.unsubscribe();
    for (const target of this.#targets.values()) target.giveUpAll();
    this.#surroundings.inbox.stop();
  }

  #send(operation: Operation, input: unknown, caller: Caller): Promise<Called<unknown>> {
    const id = caller.id ?? this.#newId(operation);
    const { project, actor, correlation } = caller;
    const named = { id, op: operation.name, project, actor };
    const command: WireCommand =
      correlation === undefined ? { ...named, input } : { ...named, correlation, input };
    const target = this.#targetOf(operation, id, input);
    return new Promise((resolve, reject) => {
      const budgetMs = caller.budgetMs ?? limits.COMMAND_BUDGET_MS;
      const options = { query: operation.kind === 'query', now: this.#clock.now(), budgetMs };
      const call = new PendingCall(command, options, { resolve, reject });
      if (call.bytes > ITEM_BYTES_MAX) {
        return reject(
          Refused.because(PAYLOAD_TOO_LARGE, `an input may hold ${ITEM_BYTES_MAX} bytes`),
        );
      }
      target.add(call);
      this.#flushSoon(target);
    });
  }

  /** A query's id only tells it apart; a command's may become that of a record. */
  #newId(operation: Operation): string {
    if (operation.kind === 'query') return `q${(this.#queries++).toString(36)}`;
    return newAggregateId(this.#clock.now(), 0, this.#ids.random(ID_RANDOM_BYTES));
  }

  #targetOf(operation: Operation, id: string, input: unknown): CallTarget {
    const { to } = operation;
    return 'partition' in to
      ? this.#target(
          partitionSubject(to.partition, partitionFor(operation, id, input)),
          PARTITION_TRY_MS,
        )
      : this.#target(serviceSubject(to.service, operation.name), SERVICE_TRY_MS);
  }

  #target(subject: string, tryMs: number): CallTarget {
    const known = this.#targets.get(subject);
    if (known) return known;
    const target = new CallTarget(subject, tryMs, this.#surroundings);
    this.#targets.set(subject, target);
    return target;
  }

  /** At the end of this turn of the event loop, so that all calls of the turn travel together. */
  #flushSoon(target: CallTarget): void {
    if (this.#dirty.size === 0) setImmediate(() => this.#flush());
    this.#dirty.add(target);
    this.#cancelSweep ??= this.#timers.after(SWEEP_MS, () => this.#sweep());
  }

  #flush(): void {
    const targets = [...this.#dirty];
    this.#dirty.clear();
    for (const target of targets) target.flush();
  }

  /** One timer for all calls of the process, running only while there are any. */
  #sweep(): void {
    this.#cancelSweep = null;
    const now = this.#clock.now();
    let idle = true;
    for (const target of this.#targets.values()) {
      if (!target.idle) target.sweep(now);
      idle &&= target.idle;
    }
    if (!idle) this.#cancelSweep = this.#timers.after(SWEEP_MS, () => this.#sweep());
  }

  #resendAll(): void {
    for (const target of this.#targets.values()) target.resendSoon();
  }
}
