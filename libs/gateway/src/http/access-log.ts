import { FORBIDDEN, Refused, UNAUTHENTICATED, type Operation } from '@athena/operation';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** What is needed of a pino logger. */
export interface LogSink {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** One call of an operation, for metrics; `code` is the refusal's where it was refused. */
export type CallObserver = (operation: string, ms: number, code: string | undefined) => void;

const SERVER_ERROR_FROM = 500;
const DENIED = new Set([UNAUTHENTICATED.code, FORBIDDEN.code]);

interface Known {
  readonly operation?: string;
  readonly keyId?: string;
  readonly error?: unknown;
}

/**
 * A line for each request: at debug where it went well or was refused, as an audit event where it
 * was denied, as a warning or an error where we failed. Neither keys nor queries nor bodies.
 */
export class AccessLog {
  readonly #sink: LogSink;
  readonly #observer: CallObserver | undefined;
  readonly #known = new WeakMap<FastifyRequest, Known>();

  constructor(sink: LogSink, observer?: CallObserver) {
    this.#sink = sink;
    this.#observer = observer;
  }

  notice(message: string): void {
    this.#sink.warn({}, message);
  }

  /** One call of a request that may hold several failed inside. */
  unexpected({ id: requestId }: FastifyRequest, error: unknown): void {
    this.#sink.error({ requestId, err: error }, 'a call failed inside');
  }

  /** `operation` is null where a request may hold calls of several. */
  identified(request: FastifyRequest, operation: Operation | null, keyId: string): void {
    this.#known.set(request, { keyId, ...(operation && { operation: operation.name }) });
  }

  failed(request: FastifyRequest, error: unknown): void {
    this.#known.set(request, { ...this.#known.get(request), error });
  }

  answered(request: FastifyRequest, reply: FastifyReply): void {
    const { operation, keyId, error } = this.#known.get(request) ?? {};
    const code = error instanceof Refused ? error.refusal.code : undefined;
    const { statusCode: status, elapsedTime } = reply;
    const { id: requestId, method, routeOptions, ip } = request;
    const path = routeOptions.url;
    const ms = Math.round(elapsedTime);
    if (operation !== undefined) this.#observer?.(operation, elapsedTime, code);
    const fields = { requestId, operation, keyId, method, path, status, code, ms };
    if (code !== undefined && DENIED.has(code)) {
      this.#sink.warn({ audit: 'denied', ...fields, ip }, 'a request was denied');
    } else if (status >= SERVER_ERROR_FROM && code === undefined) {
      this.#sink.error({ ...fields, err: error }, 'a request failed inside');
    } else if (status >= SERVER_ERROR_FROM) {
      this.#sink.warn(fields, 'a request could not be served');
    } else {
      this.#sink.debug(fields, 'request');
    }
  }
}
