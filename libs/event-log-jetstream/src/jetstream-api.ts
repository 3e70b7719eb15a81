import { LogUnavailable, type RawMessage, type Seq } from '@athena/event-log';
import type { NoReply, ReplyMultiplexer } from './reply-multiplexer.js';

/** Error codes of the JetStream API (nats-server, server/errors.json). */
export const ERROR_CODE = {
  clusterNotAvailable: 10008,
  messageNotFound: 10037,
  streamNameInUse: 10058,
  streamNotFound: 10059,
  wrongLastSequence: 10071,
  wrongLastSequenceConstant: 10164,
} as const;

export interface ApiError {
  readonly code: number;
  readonly err_code?: number;
  readonly description?: string;
}

/** JetStream said no. */
export class JetStreamRefused extends Error {
  override readonly name = 'JetStreamRefused';
  readonly errCode: number;

  constructor(what: string, error: ApiError) {
    super(`${what}: ${error.description ?? 'no reason given'} (${error.err_code ?? error.code})`);
    this.errCode = error.err_code ?? error.code;
  }
}

const SEQ_SEARCH_CHARACTERS = 1_024;

/** The few questions of the JetStream API that the log asks, over the multiplexer. */
export class JetStreamApi {
  readonly #replies: ReplyMultiplexer;
  readonly #stream: string;

  constructor(replies: ReplyMultiplexer, stream: string) {
    this.#replies = replies;
    this.#stream = stream;
  }

  /** @throws LogUnavailable, JetStreamRefused */
  async ask<T>(endpoint: string, request: unknown): Promise<T> {
    return JSON.parse(await this.#askText(endpoint, request)) as T;
  }

  async endSeq(): Promise<Seq> {
    const info = await this.ask<{ state: { last_seq: Seq } }>(`STREAM.INFO.${this.#stream}`, {});
    return info.state.last_seq;
  }

  /** Where the subject's last message is, from the leader: a replica's answer could be stale. */
  async lastSeq(subject: string): Promise<Seq> {
    const text = await this.#message({ last_by_subj: subject });
    // The sequence stands before the (possibly large) data, so nothing else need be parsed.
    const found = /"seq":(\d+)/.exec(text?.slice(0, SEQ_SEARCH_CHARACTERS) ?? '');
    return found ? Number(found[1]) : 0;
  }

  async get(seq: Seq): Promise<RawMessage | null> {
    return seq < 1 ? null : messageOf(await this.#message({ seq }));
  }

  /** The subject's last message, from the leader. */
  async last(subject: string): Promise<RawMessage | null> {
    return messageOf(await this.#message({ last_by_subj: subject }));
  }

  async #message(request: unknown): Promise<string | null> {
    try {
      return await this.#askText(`STREAM.MSG.GET.${this.#stream}`, request);
    } catch (error) {
      const none =
        error instanceof JetStreamRefused && error.errCode === ERROR_CODE.messageNotFound;
      if (none) return null;
      throw error;
    }
  }

  #askText(endpoint: string, request: unknown): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#replies.send(`$JS.API.${endpoint}`, JSON.stringify(request), (reply, reason) => {
        const text = reply?.string();
        if (text === undefined) return reject(unavailable(endpoint, reason));
        // Errors come first in a response, right behind its type.
        const failed = text.slice(0, SEQ_SEARCH_CHARACTERS).includes('"error":{');
        const error = failed && (JSON.parse(text) as { error?: ApiError }).error;
        if (error) reject(new JetStreamRefused(endpoint, error));
        else resolve(text);
      });
    });
  }
}

interface StoredMessage {
  readonly message: { readonly subject: string; readonly seq: Seq; readonly data?: string };
}

function messageOf(text: string | null): RawMessage | null {
  if (text === null) return null;
  const { subject, seq, data } = (JSON.parse(text) as StoredMessage).message;
  return { seq, subject, payload: Buffer.from(data ?? '', 'base64') };
}

const unavailable = (what: string, reason: NoReply | undefined): LogUnavailable =>
  new LogUnavailable(`${what} was not answered (${reason ?? 'no reply'}); is nats-server up?`);
