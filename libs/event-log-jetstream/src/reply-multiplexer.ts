import { createInbox, type Msg, type MsgHdrs, type Subscription } from '@nats-io/transport-node';
import type { Connection } from './connection.js';

/** Why there is no reply. Only `no-responders` says that nobody has got the message. */
export type NoReply = 'timeout' | 'no-responders' | 'disconnected';

/** Called exactly once: with the reply, or with null and the reason. */
export type OnReply = (reply: Msg | null, reason?: NoReply) => void;

interface Waiting {
  readonly onReply: OnReply;
  readonly until: number;
}

export const REPLY_TIMEOUT_MS = 2_000;
const SWEEP_MS = 100;
const NO_RESPONDERS = 503;

/**
 * Requests whose replies all arrive on one subscription, with one timer for all timeouts: a
 * fraction of what the client's own request costs, which makes a promise chain and a timer each.
 */
export class ReplyMultiplexer {
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #prefix = `${createInbox()}.`;
  readonly #waiting = new Map<string, Waiting>();
  readonly #subscription: Subscription;
  readonly #stopWatching: () => void;
  #sweep: NodeJS.Timeout | null = null;
  #serial = 0;

  constructor(connection: Connection, timeoutMs = REPLY_TIMEOUT_MS) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#subscription = connection.nc.subscribe(`${this.#prefix}*`, {
      callback: (error, msg) => {
        if (!error) this.#receive(msg);
      },
    });
    this.#stopWatching = connection.onLost(() => this.#failAll('disconnected'));
  }

  /** @throws where the client itself refuses to send (too large, closed). */
  send(subject: string, payload: Uint8Array | string, onReply: OnReply, headers?: MsgHdrs): void {
    if (!this.#connection.connected) return onReply(null, 'disconnected');
    const token = (this.#serial++).toString(36);
    const reply = this.#prefix + token;
    this.#connection.nc.publish(subject, payload, headers ? { reply, headers } : { reply });
    this.#waiting.set(token, { onReply, until: performance.now() + this.#timeoutMs });
    this.#sweep ??= setInterval(() => this.#timeOut(), SWEEP_MS);
  }

  close(): void {
    this.#stopWatching();
    if (!this.#connection.closed) this.#subscription.unsubscribe();
    this.#failAll('disconnected');
  }

  #receive(msg: Msg): void {
    const token = msg.subject.slice(this.#prefix.length);
    const waiting = this.#waiting.get(token);
    if (!waiting) return;
    this.#waiting.delete(token);
    if (msg.headers?.code === NO_RESPONDERS) waiting.onReply(null, 'no-responders');
    else waiting.onReply(msg);
  }

  /** Entries stand in the order of their deadlines. */
  #timeOut(): void {
    const now = performance.now();
    for (const [token, { until, onReply }] of this.#waiting) {
      if (until > now) break;
      this.#waiting.delete(token);
      onReply(null, 'timeout');
    }
    if (this.#waiting.size === 0) this.#stopSweep();
  }

  #failAll(reason: NoReply): void {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#stopSweep();
    for (const { onReply } of waiting) onReply(null, reason);
  }

  #stopSweep(): void {
    if (this.#sweep) clearInterval(this.#sweep);
    this.#sweep = null;
  }
}
