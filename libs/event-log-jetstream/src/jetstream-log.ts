import type { NatsConnection } from '@nats-io/transport-node';
import {
  followSource,
  readSource,
  type Commit,
  type EventLog,
  type FollowOptions,
  type Follower,
  type RawMessage,
  type Seq,
} from '@athena/event-log';
import { append } from './append.js';
import { Connection } from './connection.js';
import { JetStreamApi } from './jetstream-api.js';
import { OrderedConsumer } from './ordered-consumer.js';
import { REPLY_TIMEOUT_MS, ReplyMultiplexer } from './reply-multiplexer.js';
import { STREAM_NAME } from './stream-config.js';

export interface JetStreamLogOptions {
  /** Connected to the account that has the log; reconnecting without limit is advised. */
  readonly nc: NatsConnection;
  /** Default ATHENA_EVENTS. */
  readonly stream?: string;
  /** How long an append or a question waits for the server, default 2,000. */
  readonly replyTimeoutMs?: number;
}

/** The event log on a JetStream stream (make it with `ensureStream`). */
export class JetStreamLog implements EventLog {
  readonly #connection: Connection;
  readonly #replies: ReplyMultiplexer;
  readonly #api: JetStreamApi;
  readonly #stream: string;

  constructor({ nc, stream, replyTimeoutMs }: JetStreamLogOptions) {
    this.#stream = stream ?? STREAM_NAME;
    this.#connection = new Connection(nc);
    this.#replies = new ReplyMultiplexer(this.#connection, replyTimeoutMs ?? REPLY_TIMEOUT_MS);
    this.#api = new JetStreamApi(this.#replies, this.#stream);
  }

  append(subject: string, payload: Uint8Array, expectedLastSeq: Seq): Promise<Seq> {
    return append(this.#replies, subject, payload, expectedLastSeq);
  }

  lastSeq(subject: string): Promise<Seq> {
    return this.#api.lastSeq(subject);
  }

  endSeq(): Promise<Seq> {
    return this.#api.endSeq();
  }

  get(seq: Seq): Promise<RawMessage | null> {
    return this.#api.get(seq);
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

  /** Fails what waits for a reply. The connection stays open: it is the caller's. */
  close(): void {
    this.#replies.close();
  }

  #source(from: Seq): OrderedConsumer {
    return new OrderedConsumer(this.#connection, this.#api, this.#stream, from);
  }
}
