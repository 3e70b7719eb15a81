import { type Msg, type Status, errors, nuid } from '@nats-io/transport-node';
import { onAbort } from '../abort.js';
import { type AthenaError, clientError, timedOut } from '../errors.js';
import { type Surroundings, systemSurroundings } from '../surroundings.js';
import { type Connection, type NatsOptions, inboxPrefix } from './connection.js';

export interface RequestOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

interface Pending {
  readonly subject: string;
  resolve(message: Msg): void;
  reject(error: Error): void;
}

const NO_RESPONDERS_STATUS = 503;

/**
 * Requests over one NATS connection, with one subscription for all answers. Unlike the client's
 * own requests they end the moment the connection breaks, so that they can be repeated as soon as
 * there is a new one instead of sitting out their time.
 */
export class RequestChannel {
  readonly surroundings: Surroundings;
  readonly #connection: Connection;
  readonly #inbox: string;
  readonly #pending = new Map<string, Pending>();
  readonly #watchers = new Set<(connected: boolean) => void>();
  #connected = true;
  #next = 0;

  private constructor(connection: Connection, user: string, surroundings: Surroundings) {
    this.surroundings = surroundings;
    this.#connection = connection;
    this.#inbox = `${inboxPrefix(user)}.${nuid.next()}.`;
    connection.subscribe(`${this.#inbox}*`, {
      callback: (error, message) => {
        if (!error) this.#answered(message);
      },
    });
    void this.#follow();
  }

  /** @throws AthenaError */
  static async open(
    options: NatsOptions,
    surroundings: Surroundings = systemSurroundings,
  ): Promise<RequestChannel> {
    const connection = await surroundings.connect(options);
    return new RequestChannel(connection, options.user, surroundings);
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Told of every loss (false) and return (true) of the connection. Returns how to stop. */
  watch(watcher: (connected: boolean) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Resolves at once while there is a connection. @throws the signal's reason */
  whenConnected(signal: AbortSignal): Promise<void> {
    if (this.#connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        forget();
        unwatch();
      };
      const unwatch = this.watch((connected) => {
        if (!connected) return;
        end();
        resolve();
      });
      const forget = onAbort(signal, () => {
        unwatch();
        reject(signal.reason as Error);
      });
    });
  }

  /** @throws AthenaError TIMEOUT, CONNECTION_LOST, NO_RESPONDERS, NOT_PERMITTED */
  request(subject: string, body: string, options: RequestOptions): Promise<Msg> {
    return new Promise((resolve, reject) => {
      if (!this.#connected) return reject(connectionLost(false));
      const token = (this.#next++).toString(36);
      const end = (): void => {
        cancel();
        forget();
        this.#pending.delete(token);
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      const { time } = this.surroundings;
      const cancel = time.after(options.timeoutMs, () => fail(timedOut(options.timeoutMs)));
      const forget = onAbort(options.signal, () => fail(options.signal?.reason as Error));
      if (options.signal?.aborted) return;
      this.#pending.set(token, {
        subject,
        reject: fail,
        resolve: (message) => {
          end();
          resolve(message);
        },
      });
      try {
        this.#connection.publish(subject, body, { reply: this.#inbox + token });
      } catch (error) {
        fail(clientError('CLOSED', 'the NATS connection is closed', { cause: error }));
      }
    });
  }

  async close(): Promise<void> {
    this.#watchers.clear();
    this.#rejectAll(() => clientError('CLOSED', 'the NATS connection was closed'));
    await this.#connection.close();
  }

  #answered(message: Msg): void {
    const pending = this.#pending.get(message.subject.slice(this.#inbox.length));
    if (!pending) return;
    if (message.headers?.code === NO_RESPONDERS_STATUS && message.data.length === 0) {
      const detail = `nobody answers ${pending.subject} now`;
      pending.reject(clientError('NO_RESPONDERS', detail, { retryable: true }));
    } else {
      pending.resolve(message);
    }
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) this.#changed(status);
  }

  #changed(status: Status): void {
    if (status.type === 'disconnect') {
      this.#connected = false;
      this.#rejectAll(() => connectionLost(true));
      for (const watcher of this.#watchers) watcher(false);
    } else if (status.type === 'reconnect') {
      this.#connected = true;
      for (const watcher of this.#watchers) watcher(true);
    } else if (status.type === 'error') {
      this.#refused(status.error);
    }
  }

  /** The server tells of a forbidden publish, but no answer will ever come. */
  #refused(error: Error): void {
    if (!(error instanceof errors.PermissionViolationError)) return;
    if (error.operation !== 'publish') return;
    for (const pending of [...this.#pending.values()]) {
      if (pending.subject !== error.subject) continue;
      const detail = `these credentials may not publish to ${error.subject}`;
      pending.reject(clientError('NOT_PERMITTED', detail, { cause: error }));
    }
  }

  #rejectAll(error: () => AthenaError): void {
    for (const pending of [...this.#pending.values()]) pending.reject(error());
  }
}

const connectionLost = (sent: boolean): AthenaError =>
  clientError('CONNECTION_LOST', 'there is no connection to NATS now', {
    retryable: true,
    outcomeUnknown: sent,
  });
