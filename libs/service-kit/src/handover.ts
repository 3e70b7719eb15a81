import type { Clock } from '@athena/event-log';
import { createInbox, headers, type Msg } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import type { EdgeMessage } from './edge-requests.js';

/*
 * Where every process hears every request, one that starts has not heard those that wait already:
 * should the one that would have answered die, they would wait for nothing. So whoever begins to
 * listen asks the others for them. Only in account CORE, where no agent can speak.
 */
const HANDOVER_PREFIX = 'athena.waiting.';
const SUBJECT_HEADER = 'Athena-Subject';
/** In a header, because the broker lets nobody name an import's reply subject as their own. */
const REPLY_HEADER = 'Athena-Reply';

interface Waiting {
  readonly message: EdgeMessage;
  readonly body: Record<string, unknown>;
  readonly since: number;
}

export interface HandoverOptions {
  readonly nats: Bus;
  readonly verb: string;
  readonly clock: Clock;
  /** How long a request waits that doesn't say. */
  readonly waitMsDefault: number;
  /** A request that another process heard before this one listened. */
  readonly onRequest: (message: EdgeMessage) => void;
}

/** Requests of one verb that wait in this process, for whoever begins to listen for them. */
export class Handover {
  readonly #options: HandoverOptions;
  readonly #waiting = new Set<Waiting>();
  readonly #end: () => void;

  /** Call it when this process listens for the verb already. */
  constructor(options: HandoverOptions) {
    this.#options = options;
    const { nats, verb, onRequest } = options;
    const inbox = createInbox();
    const received = nats.subscribe(inbox, {
      callback: (error, message) => {
        // Without a place for an answer it is the broker's word that nobody else listens.
        if (!error && message.headers?.has(REPLY_HEADER)) onRequest(handedOver(nats, message));
      },
    });
    nats.publish(HANDOVER_PREFIX + verb, undefined, { reply: inbox });
    // Subscribed behind the question, so that this process does not answer itself.
    const asked = nats.subscribe(HANDOVER_PREFIX + verb, {
      callback: (error, message) => {
        if (!error && message.reply) this.#tell(message.reply);
      },
    });
    this.#end = () => {
      if (nats.isClosed()) return;
      received.unsubscribe();
      asked.unsubscribe();
    };
  }

  /** Keeps a request while it is worked on. */
  async during<T>(
    message: EdgeMessage,
    body: Record<string, unknown>,
    work: Promise<T>,
  ): Promise<T> {
    const waiting = { message, body, since: this.#options.clock.now() };
    this.#waiting.add(waiting);
    try {
      return await work;
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  close(): void {
    this.#end();
  }

  #tell(inbox: string): void {
    const { nats, clock, waitMsDefault } = this.#options;
    const now = clock.now();
    for (const { message, body, since } of this.#waiting) {
      const { waitMs = waitMsDefault } = body;
      const left = Number(waitMs) - (now - since);
      if (!message.reply || !(left > 0)) continue;
      const told = headers();
      told.set(SUBJECT_HEADER, message.subject);
      told.set(REPLY_HEADER, message.reply);
      const bytes = JSON.stringify({ ...body, waitMs: Math.ceil(left) });
      nats.publish(inbox, bytes, { headers: told });
    }
  }
}

/** The request as it was heard first: same subject, same place for the answer. */
function handedOver(nats: Bus, { data, headers }: Msg): EdgeMessage {
  const reply = headers?.get(REPLY_HEADER) ?? '';
  return {
    subject: headers?.get(SUBJECT_HEADER) ?? '',
    data,
    reply,
    respond: (bytes, options) => {
      if (nats.isClosed()) return false;
      nats.publish(reply, bytes, options);
      return true;
    },
  };
}
