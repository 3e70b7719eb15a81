import { limits } from '@athena/contracts';
import {
  INVALID_INPUT,
  OVERLOADED,
  PAYLOAD_TOO_LARGE,
  Refused,
  type Refusal,
} from '@athena/operation';
import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import type { Bus, BusSubscription } from './bus.js';
import { drainAll, within } from './drain.js';
import { parseJson } from './parse-json.js';
import { errorReply, refusalOf } from './request-error.js';
import { ITEM_BYTES_MAX } from './wire-codec.js';

/** One answered request from outside: what is sent back as JSON, and headers to go with it. */
export interface EdgeAnswer {
  readonly body: unknown;
  readonly headers?: MsgHdrs;
}

/** A request, as far as answering it needs it. */
export type EdgeMessage = Pick<Msg, 'subject' | 'data' | 'reply' | 'headers' | 'respond'>;

/** Null: somebody else answers. */
export type AnswerEdge = (message: EdgeMessage) => Promise<EdgeAnswer | null>;

export interface EdgeObserver {
  /** What was thrown that is no refusal. */
  onError?(error: unknown, subject: string): void;
  answered?(subject: string, ms: number, refusal: Refusal | undefined): void;
}

/**
 * Requests from outside over NATS: plain JSON in and out, one reply to each, an error where it
 * can't be answered, never silence. At most `handlingMax` at the same time.
 */
export class EdgeRequests {
  readonly #nats: Bus;
  readonly #handlingMax: number;
  readonly #observer: EdgeObserver;
  readonly #subscriptions: BusSubscription[] = [];
  readonly #running = new Set<Promise<void>>();

  constructor(nats: Bus, handlingMax: number, observer: EdgeObserver = {}) {
    this.#nats = nats;
    this.#handlingMax = handlingMax;
    this.#observer = observer;
  }

  listen(subject: string, queue: string | undefined, answer: AnswerEdge): void {
    const callback = (error: Error | null, message: Msg): void => {
      if (!error) this.serve(message, answer);
    };
    const options = queue === undefined ? { callback } : { queue, callback };
    this.#subscriptions.push(this.#nats.subscribe(subject, options));
  }

  /** Takes nothing new; resolves when all is answered, or `ms` have passed. */
  async close(ms: number): Promise<void> {
    await drainAll(this.#subscriptions);
    await within(ms, Promise.all(this.#running));
  }

  /** One request, however it came here. */
  serve(message: EdgeMessage, answer: AnswerEdge): void {
    const began = performance.now();
    const full = this.#running.size >= this.#handlingMax;
    const run = (full ? Promise.reject(overloaded(this.#handlingMax)) : answer(message))
      .then((answered) => answered && this.#reply(message, answered))
      .catch((error: unknown) => this.#fail(message, error))
      .then((refusal) => {
        this.#running.delete(run);
        const ms = performance.now() - began;
        this.#observer.answered?.(message.subject, ms, refusal || undefined);
      });
    this.#running.add(run);
  }

  #reply(message: EdgeMessage, { body, headers }: EdgeAnswer): undefined {
    const bytes = Buffer.from(JSON.stringify(body));
    if (bytes.length > ITEM_BYTES_MAX) {
      const detail = `an answer may hold ${ITEM_BYTES_MAX} bytes; ask for less at once`;
      throw Refused.because(PAYLOAD_TOO_LARGE, detail);
    }
    message.respond(bytes, headers ? { headers } : undefined);
  }

  #fail(message: EdgeMessage, error: unknown): Refusal {
    if (!(error instanceof Refused)) this.#observer.onError?.(error, message.subject);
    const refusal = refusalOf(error);
    const { body, headers } = errorReply(refusal);
    if (!this.#nats.isClosed()) message.respond(body, { headers });
    return refusal;
  }
}

const overloaded = (max: number): Refused =>
  Refused.because(OVERLOADED, `${max} requests are being handled`);

/** The request's JSON object. @throws Refused */
export function bodyOf(message: EdgeMessage): Record<string, unknown> {
  const body = parseJson(message.data);
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
    return body as Record<string, unknown>;
  }
  throw Refused.because(INVALID_INPUT, 'the request is not a JSON object');
}

/** The items of `{items: […]}`; null where the request is a single one. @throws Refused */
export function itemsOf(body: Record<string, unknown>): readonly unknown[] | null {
  if (body['items'] === undefined) return null;
  const items: readonly unknown[] = Array.isArray(body['items']) ? body['items'] : [];
  const fits = items.length > 0 && items.length <= limits.ITEMS_MAX;
  if (fits && Object.keys(body).length === 1) return items;
  const detail = `items: give 1–${limits.ITEMS_MAX} in an array, and nothing beside it`;
  throw Refused.because(INVALID_INPUT, detail, 'items');
}

/** Answers each item for itself, in order: its output, or `{refusal}`. */
export async function eachItem(
  items: readonly unknown[],
  answer: (item: unknown) => Promise<unknown>,
): Promise<{ items: unknown[] }> {
  const answers = items.map((item) =>
    answer(item).catch((error: unknown) => ({ refusal: refusalOf(error) })),
  );
  return { items: await Promise.all(answers) };
}
