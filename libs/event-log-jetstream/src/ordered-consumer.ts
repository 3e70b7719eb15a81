import { setImmediate as turn } from 'node:timers/promises';
import { createInbox, type Msg, type MsgImpl, type Subscription } from '@nats-io/transport-node';
import {
  BrokenSequence,
  LogUnavailable,
  type MessageSource,
  type RawMessage,
  type Seq,
} from '@athena/event-log';
import type { Connection } from './connection.js';
import { ERROR_CODE, JetStreamRefused, type JetStreamApi } from './jetstream-api.js';
import { deliveryOf, statusOf } from './pull-protocol.js';

/** Bytes that are on their way, wait here or are being handled. */
export const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;
/** Bytes handed over at once: parsing them must not hold up the process for long. */
export const BATCH_BYTES_MAX = 1024 * 1024;
/** More messages than the smallest can fill `IN_FLIGHT_BYTES_MAX` with: bytes end a pull. */
const PULL_MESSAGES_MAX = 200_000;
const PULL_EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 5_000;
const SILENCE_MS_MAX = 12_000;
/** The server forgets a reader that has vanished after this long. */
const INACTIVE_MS_MAX = 60_000;
const RETRY_MS = 250;
const NANOSECONDS = 1_000_000;

/**
 * Reads the stream in order from a position, unfiltered, for as long as it is wanted. Its consumer
 * on the server is disposable: whenever deliveries are lost, the connection was, or the server is
 * silent, a new one continues with the last message had, which must be the same as before.
 */
export class OrderedConsumer implements MessageSource {
  readonly #connection: Connection;
  readonly #api: JetStreamApi;
  readonly #stream: string;
  readonly #stopWatching: () => void;
  readonly #silence: NodeJS.Timeout;
  #next: Seq;
  #last: RawMessage | null = null;
  #buffer: RawMessage[] = [];
  /** Of messages here that nobody has dealt with yet. */
  #heldBytes = 0;
  #handedBytes = 0;
  /** That the server may still send. */
  #grantedBytes = 0;
  #attachment = 0;
  #name = '';
  #inbox = '';
  #subscription: Subscription | null = null;
  #delivered = 0;
  #heardAt = performance.now();
  #failure: Error | null = null;
  #closed = false;
  #wake: () => void = () => undefined;

  constructor(connection: Connection, api: JetStreamApi, stream: string, from: Seq) {
    this.#connection = connection;
    this.#api = api;
    this.#stream = stream;
    this.#next = Math.max(1, from);
    const ends = [
      connection.onBack(() => void this.#attach()),
      connection.onLost(() => this.#wake()),
    ];
    this.#stopWatching = () => ends.forEach((end) => end());
    this.#silence = setInterval(() => this.#checkSilence(), HEARTBEAT_MS).unref();
    void this.#attach();
  }

  async next(): Promise<readonly RawMessage[] | null> {
    this.#release();
    // Under load the rest of the process gets its turn between batches.
    if (this.#buffer.length > 0) await turn();
    while (this.#buffer.length === 0 && !this.#closed) {
      if (this.#failure) throw this.#failure;
      if (this.#connection.closed) throw new LogUnavailable('the NATS connection was closed');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#closed ? null : this.#take();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching();
    clearInterval(this.#silence);
    this.#detach();
    this.#wake();
  }

  #take(): readonly RawMessage[] {
    let count = 0;
    for (const { payload } of this.#buffer) {
      if (count > 0 && this.#handedBytes + payload.byteLength > BATCH_BYTES_MAX) break;
      this.#handedBytes += payload.byteLength;
      count++;
    }
    return this.#buffer.splice(0, count);
  }

  /** What was handed over last has been dealt with: as much may be pulled again. */
  #release(): void {
    this.#heldBytes -= this.#handedBytes;
    this.#handedBytes = 0;
    this.#pull();
  }

  /** Starts over on the server, until it works or is superseded by a later start. */
  async #attach(): Promise<void> {
    const attachment = ++this.#attachment;
    const current = (): boolean =>
      attachment === this.#attachment && !this.#closed && !this.#failure;
    this.#detach();
    while (current()) {
      try {
        if (this.#connection.connected) return await this.#start(current);
      } catch (error) {
        if (isFinal(error)) return this.#fail(error as Error);
      }
      if (this.#connection.closed) return this.#wake();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async #start(current: () => boolean): Promise<void> {
    const end = await this.#api.endSeq();
    if (!current()) return;
    if (this.#next > end + 1) {
      throw new BrokenSequence(`the log ends at ${end}, before position ${this.#next - 1}`);
    }
    this.#detach();
    const name = `reader-${crypto.randomUUID()}`;
    const inbox = createInbox();
    this.#delivered = 0;
    this.#inbox = inbox;
    this.#subscription = this.#connection.nc.subscribe(inbox, {
      callback: (error, msg) => (error ? this.#fail(error) : this.#receive(msg)),
    });
    await this.#createConsumer(name);
    if (!current() || this.#inbox !== inbox) return this.#forget(name);
    this.#name = name;
    this.#heardAt = performance.now();
    this.#pull();
  }

  async #createConsumer(name: string): Promise<void> {
    await this.#api.ask(`CONSUMER.CREATE.${this.#stream}.${name}`, {
      stream_name: this.#stream,
      action: 'create',
      config: {
        name,
        deliver_policy: 'by_start_sequence',
        opt_start_seq: this.#last?.seq ?? this.#next,
        ack_policy: 'none',
        replay_policy: 'instant',
        inactive_threshold: INACTIVE_MS_MAX * NANOSECONDS,
        mem_storage: true,
        num_replicas: 1,
      },
    });
  }

  #detach(): void {
    if (!this.#connection.closed) this.#subscription?.unsubscribe();
    this.#subscription = null;
    this.#inbox = '';
    this.#grantedBytes = 0;
    this.#forget(this.#name);
    this.#name = '';
  }

  #forget(name: string): void {
    if (!name || !this.#connection.connected) return;
    this.#connection.nc.publish(`$JS.API.CONSUMER.DELETE.${this.#stream}.${name}`);
  }

  /** Keeps the server supplied with permission to send, up to the bound. */
  #pull(): void {
    const used = this.#grantedBytes + this.#heldBytes;
    if (!this.#name || used > IN_FLIGHT_BYTES_MAX / 2) return;
    const bytes = IN_FLIGHT_BYTES_MAX - used;
    this.#grantedBytes += bytes;
    const pull = {
      batch: PULL_MESSAGES_MAX,
      max_bytes: bytes,
      expires: PULL_EXPIRES_MS * NANOSECONDS,
      idle_heartbeat: HEARTBEAT_MS * NANOSECONDS,
    };
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${this.#stream}.${this.#name}`;
    this.#connection.nc.publish(subject, JSON.stringify(pull), { reply: this.#inbox });
  }

  #receive(msg: Msg): void {
    this.#heardAt = performance.now();
    if (msg.subject === this.#inbox) return this.#receiveStatus(msg);
    // Counted as the server counts: subject, reply subject, headers and data.
    this.#grantedBytes = Math.max(0, this.#grantedBytes - (msg as MsgImpl).size());
    const { consumerSeq, streamSeq } = deliveryOf(msg.reply ?? '');
    // A delivery was lost on its way (the client was too slow for the server): once more.
    if (consumerSeq !== ++this.#delivered) return void this.#attach();
    const message = { seq: streamSeq, subject: msg.subject, payload: msg.data };
    if (consumerSeq === 1 && this.#last) this.#verify(message, this.#last);
    else this.#accept(message);
    this.#pull();
  }

  /** The first message of a new consumer is the last that was had: it must not have changed. */
  #verify(message: RawMessage, last: RawMessage): void {
    const same =
      message.seq === last.seq &&
      message.subject === last.subject &&
      Buffer.compare(message.payload, last.payload) === 0;
    if (same) return;
    this.#fail(
      new BrokenSequence(`the log's position ${last.seq} has another message than it had before`),
    );
  }

  #accept(message: RawMessage): void {
    if (message.seq !== this.#next) {
      return this.#fail(
        new BrokenSequence(`the log has ${message.seq} where ${this.#next} should come next`),
      );
    }
    this.#next++;
    this.#last = message;
    this.#heldBytes += message.payload.byteLength;
    this.#buffer.push(message);
    this.#wake();
  }

  #receiveStatus(msg: Msg): void {
    const { kind, unusedBytes } = statusOf(msg);
    if (kind === 'heartbeat') return;
    if (kind === 'lost') return void this.#attach();
    if (kind === 'invalid') {
      return this.#fail(new Error(`nats-server refused to deliver: ${msg.headers?.description}`));
    }
    this.#grantedBytes = Math.max(0, this.#grantedBytes - unusedBytes);
    this.#pull();
  }

  #checkSilence(): void {
    const silentMs = performance.now() - this.#heardAt;
    if (this.#grantedBytes > 0 && silentMs > SILENCE_MS_MAX) void this.#attach();
  }

  /** What was read before is still handed over; then `next` throws. */
  #fail(error: Error): void {
    if (this.#closed) return;
    this.#failure ??= error;
    this.#detach();
    this.#wake();
  }
}

/** A deleted stream does not come back by waiting; everything else may be a restart. */
const isFinal = (error: unknown): boolean =>
  error instanceof BrokenSequence ||
  (error instanceof JetStreamRefused && error.errCode === ERROR_CODE.streamNotFound);
