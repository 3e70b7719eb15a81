import { systemTimers, type Timers } from '@athena/event-log';
import {
  INTERNAL,
  OVERLOADED,
  Refused,
  refuse,
  serviceSubject,
  type WireAnswer,
  type WireCommand,
} from '@athena/operation';
import type { Msg } from '@nats-io/transport-node';
import type { Bus, BusSubscription } from './bus.js';
import { AnswerSheet } from './answer-sheet.js';
import type { ServiceHandler } from './calling.js';
import { drainAll } from './drain.js';
import { Peers } from './peers.js';
import { encodeRefusal, refusalOfRequest } from './request-refusal.js';
import { decodeRequest } from './wire-codec.js';

/** Items that one process of a service handles at the same time. */
export const HANDLING_MAX = 2_000;
/** A quick answer waits no longer than this for slower ones of the same message. */
const PART_AFTER_MS = 20;

export interface ServiceEndpointOptions {
  readonly nats: Bus;
  /** Also the name of the queue group. */
  readonly service: string;
  readonly handlers: readonly ServiceHandler[];
  readonly handlingMax?: number;
  /** Default: those of the connection. */
  readonly peers?: Peers;
  readonly timers?: Timers;
  /** What a handler threw that is no refusal. */
  readonly onError?: (error: unknown, command: WireCommand) => void;
}

/** Serves the operations that are addressed to a service, in its queue group. */
export class ServiceEndpoint {
  readonly #options: ServiceEndpointOptions;
  readonly #timers: Timers;
  readonly #peers: Peers;
  readonly #subscriptions: readonly BusSubscription[];
  readonly #underWay = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  #handling = 0;

  constructor(options: ServiceEndpointOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#peers = options.peers ?? Peers.of(options.nats);
    const { nats, service, handlers } = options;
    this.#subscriptions = handlers.map((handler) =>
      nats.subscribe(serviceSubject(service, handler.operation.name), {
        queue: service,
        callback: (error, message) => {
          if (!error) this.#serve(handler, message);
        },
      }),
    );
  }

  /** Takes nothing new; resolves when what is under way has been answered. */
  async close(): Promise<void> {
    await drainAll(this.#subscriptions);
    await Promise.all(this.#running);
  }

  #serve(handler: ServiceHandler, message: Msg): void {
    const { reply } = message;
    if (reply && this.#underWay.has(reply)) return;
    const request = decodeRequest(message.data);
    const refusal = refusalOfRequest(request, this.#peers, message.subject);
    const { items } = request;
    if (!items || refusal) return this.#send(reply, encodeRefusal(this.#peers, refusal));
    if (reply) this.#underWay.add(reply);
    const { protocol } = this.#peers;
    const send = (part: Uint8Array): void => this.#send(reply, part);
    const sheet = new AnswerSheet(items.length, send, () => ({ protocol }));
    const partSoon = this.#oncePer(PART_AFTER_MS, () => sheet.complete || sheet.flush());
    items.forEach((item, index) =>
      this.#handle(handler, item, (answer) => {
        sheet.enter(index, answer);
        if (!sheet.complete) partSoon();
        else if (reply) this.#underWay.delete(reply);
      }),
    );
  }

  /** However often the function is called, it acts once after a time; then it may act anew. */
  #oncePer(ms: number, act: () => void): () => void {
    let planned = false;
    return () => {
      if (planned) return;
      planned = true;
      this.#timers.after(ms, () => {
        planned = false;
        act();
      });
    };
  }

  #handle(handler: ServiceHandler, item: WireCommand, enter: (answer: WireAnswer) => void): void {
    const max = this.#options.handlingMax ?? HANDLING_MAX;
    if (this.#handling >= max) {
      return enter({ refusal: refuse(OVERLOADED, `${max} requests are being handled`) });
    }
    this.#handling++;
    const run = this.#answer(handler, item).then((answer) => {
      this.#handling--;
      this.#running.delete(run);
      enter(answer);
    });
    this.#running.add(run);
  }

  async #answer(handler: ServiceHandler, item: WireCommand): Promise<WireAnswer> {
    try {
      const { output, seq } = await handler.handle(item.input, item);
      return { ok: output, seq };
    } catch (error) {
      if (error instanceof Refused) return { refusal: error.refusal };
      this.#options.onError?.(error, item);
      return { refusal: refuse(INTERNAL, `${item.op} failed inside; see the log for ${item.id}`) };
    }
  }

  #send(reply: string | undefined, part: Uint8Array): void {
    if (reply && !this.#options.nats.isClosed()) this.#options.nats.publish(reply, part);
  }
}
