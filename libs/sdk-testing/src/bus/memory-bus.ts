import { systemTimers, type Timers } from '@athena/event-log';
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { MemoryConnection } from './memory-connection.js';
import { matches } from './subjects.js';

export interface Listener {
  readonly owner: MemoryConnection;
  readonly pattern: readonly string[];
  readonly queue: string | undefined;
  readonly callback: (error: Error | null, message: Msg) => void;
}

export interface Sent {
  readonly from: MemoryConnection;
  readonly subject: string;
  readonly data: Uint8Array;
  readonly reply: string | undefined;
  readonly headers: MsgHdrs | undefined;
}

const NO_RESPONDERS = 503;
const APPLICATIONS = 'athena.api.';
/** Where the broker tells a service who asks. */
const REQUEST_INFO = 'Nats-Request-Info';

export interface MemoryBusOptions {
  /** Told of every message, so that somebody can tell when all is quiet. */
  readonly onTraffic: () => void;
  /** Asked of every message; default: each arrives once, in order. */
  readonly journey?: (sent: Sent) => Journey;
  readonly timers?: Timers;
}

/** How often a message arrives, each time after so many milliseconds. None: it is lost. */
export type Journey = readonly number[];

const STRAIGHT: Journey = [0];

/**
 * What services, agents and clients need of a NATS server, in memory: subjects with wildcards,
 * queue groups, and word to a requester that nobody listens. Messages arrive in the order in which
 * they were sent, one turn of the event loop later, unless their journey is another.
 */
export class MemoryBus {
  readonly #options: MemoryBusOptions;
  readonly #listeners = new Set<Listener>();
  readonly #connections = new Map<string, Set<MemoryConnection>>();
  readonly #onGone: ((user: string) => void)[] = [];
  #waiting: Sent[] = [];

  constructor(options: MemoryBusOptions) {
    this.#options = options;
  }

  connect(user: string): MemoryConnection {
    return this.join(new MemoryConnection(this, user));
  }

  join<T extends MemoryConnection>(connection: T): T {
    const { user } = connection;
    const known = this.#connections.get(user) ?? new Set();
    this.#connections.set(user, known.add(connection));
    return connection;
  }

  isConnected(user: string): boolean {
    return (this.#connections.get(user)?.size ?? 0) > 0;
  }

  /** Called with a user whose last connection has closed. */
  onGone(listener: (user: string) => void): void {
    this.#onGone.push(listener);
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(sent: Sent): void {
    this.#options.onTraffic();
    const { journey, timers = systemTimers } = this.#options;
    for (const ms of journey?.(sent) ?? STRAIGHT) {
      if (ms === 0) this.#deliverSoon(sent);
      else timers.after(ms, () => this.#hand(sent));
    }
  }

  #deliverSoon(sent: Sent): void {
    if (this.#waiting.length === 0) setImmediate(() => this.#deliver());
    this.#waiting.push(sent);
  }

  left(connection: MemoryConnection): void {
    for (const listener of this.#listeners) {
      if (listener.owner === connection) this.#listeners.delete(listener);
    }
    const { user } = connection;
    this.#connections.get(user)?.delete(connection);
    if (!this.isConnected(user)) for (const tell of this.#onGone) tell(user);
  }

  #deliver(): void {
    const sent = this.#waiting;
    this.#waiting = [];
    for (const each of sent) this.#hand(each);
  }

  #hand(sent: Sent): void {
    this.#options.onTraffic();
    const listeners = this.#receiversOf(sent.subject);
    for (const { owner, callback } of listeners) callback(null, this.#message(sent, owner));
    if (listeners.length > 0 || sent.reply === undefined) return;
    const nobody = headers(NO_RESPONDERS, 'No Responders');
    const { from, reply: subject } = sent;
    this.#hand({ from, subject, data: new Uint8Array(0), reply: undefined, headers: nobody });
  }

  /** Every plain listener, and one of each queue group. Whoever is cut off hears nothing. */
  #receiversOf(subject: string): Listener[] {
    const tokens = subject.split('.');
    const groups = new Set<string>();
    return [...this.#listeners].filter(({ owner, pattern, queue }) => {
      if (owner.isCutOff || !matches(pattern, tokens)) return false;
      if (queue === undefined) return true;
      return !groups.has(queue) && groups.add(queue);
    });
  }

  #message({ from, subject, data, reply, headers: head }: Sent, to: MemoryConnection): Msg {
    const text = (): string => Buffer.from(data).toString('utf8');
    return {
      subject,
      sid: 0,
      data,
      ...(reply === undefined ? {} : { reply }),
      ...withHeaders(subject.startsWith(APPLICATIONS) ? requestInfo(from.user, head) : head),
      string: text,
      json: <T>(): T => JSON.parse(text()) as T,
      respond(payload, options) {
        if (reply === undefined) return false;
        to.publish(reply, payload, options);
        return true;
      },
    };
  }
}

const withHeaders = (given: MsgHdrs | undefined): { headers?: MsgHdrs } =>
  given ? { headers: given } : {};

function requestInfo(user: string, given: MsgHdrs | undefined): MsgHdrs {
  const head = given ?? headers();
  head.set(REQUEST_INFO, JSON.stringify({ user }));
  return head;
}
