import { createInbox, type Msg } from '@nats-io/transport-node';
import type { Bus, BusSubscription } from './bus.js';

export type OnReply = (message: Msg) => void;

/**
 * One subscription for the answers to all requests of this process: cheaper than the client's own
 * `request`, which makes two promises and a timer each. Tokens are short and never used twice.
 */
export class ReplyInbox {
  readonly #prefix: string;
  readonly #subscription: BusSubscription;
  readonly #waiting = new Map<string, OnReply>();
  #next = 0;

  constructor(nats: Bus) {
    this.#prefix = `${createInbox()}.`;
    this.#subscription = nats.subscribe(`${this.#prefix}*`, {
      callback: (error, message) => {
        if (error) return;
        this.#waiting.get(message.subject.slice(this.#prefix.length))?.(message);
      },
    });
  }

  /** A subject for answers; `onReply` is called for each until it is closed. */
  open(onReply: OnReply): string {
    const token = (this.#next++).toString(36);
    this.#waiting.set(token, onReply);
    return this.#prefix + token;
  }

  close(subject: string): void {
    this.#waiting.delete(subject.slice(this.#prefix.length));
  }

  stop(): void {
    this.#waiting.clear();
    this.#subscription.unsubscribe();
  }
}

const NO_RESPONDERS = 503;

/** The broker's word that nobody listens on the subject. */
export const isNoResponders = (message: Msg): boolean =>
  message.data.length === 0 && message.headers?.code === NO_RESPONDERS;
