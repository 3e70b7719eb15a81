import type { Operation } from '@athena/operation';
import { onAbort } from '../abort.js';
import { AthenaError, clientError, timedOut } from '../errors.js';
import { HTTP_WAITS_MAX } from '../limits.js';
import type { Answer, AttemptOptions, Transport } from '../transport.js';
import { problemError } from './problem.js';
import { httpRequest } from './request.js';

export interface HttpOptions {
  /** The gateway's address, for example `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly apiKey: string;
}

/** Calls over REST. Connections are kept alive by Node's fetch. */
export class HttpTransport implements Transport {
  readonly waitsMax = HTTP_WAITS_MAX;
  readonly #origin: string;
  readonly #authorization: string;
  readonly #closed = new AbortController();

  constructor({ url, apiKey }: HttpOptions) {
    this.#origin = url.replace(/\/+$/, '');
    this.#authorization = `Bearer ${apiKey}`;
  }

  async call(operation: Operation, input: unknown, options: AttemptOptions): Promise<Answer> {
    const { method, path, body } = httpRequest(operation, input);
    const limits = deadline(options, this.#closed.signal);
    try {
      const response = await fetch(this.#origin + path, {
        method,
        headers: this.#headers(body, options.idempotencyKey),
        ...(body === undefined ? {} : { body }),
        redirect: 'error',
        signal: limits.signal,
      });
      const text = await response.text();
      if (!response.ok) throw problemError(response.status, text, response.headers);
      return { output: parseOutput(text), seq: seqOf(response.headers.get('athena-seq')) };
    } catch (error) {
      throw limits.explain(error, this.#origin);
    } finally {
      limits.forget();
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(clientError('CLOSED', 'the client was closed'));
  }

  #headers(body: string | undefined, idempotencyKey: string | undefined): Record<string, string> {
    return {
      authorization: this.#authorization,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
    };
  }
}

function parseOutput(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw clientError('INVALID_ANSWER', 'the gateway answered with something other than JSON', {
      cause,
    });
  }
}

const seqOf = (header: string | null): number | undefined =>
  header !== null && /^\d+$/.test(header) ? Number(header) : undefined;

/** One signal for the caller's abort, the time-out and the client's closing. */
function deadline({ timeoutMs, signal }: AttemptOptions, closed: AbortSignal) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(timedOut(timeoutMs)), timeoutMs);
  const forgetCaller = onAbort(signal, () => controller.abort(signal?.reason));
  const forgetClosed = onAbort(closed, () => controller.abort(closed.reason));
  return {
    signal: controller.signal,
    forget: () => {
      clearTimeout(timer);
      forgetCaller();
      forgetClosed();
    },
    /** What to throw for an error of fetch. */
    explain: (error: unknown, origin: string): unknown =>
      controller.signal.aborted ? controller.signal.reason : networkError(error, origin),
  };
}

/** Failures before anything was sent: the request can't have taken effect. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

/** What fetch throws has the socket's error as its cause. */
function networkError(error: unknown, origin: string): AthenaError {
  if (error instanceof AthenaError) return error;
  const { message: said, cause: below } = error as Error;
  const cause = below as { code?: string; message?: string } | undefined;
  const code = cause?.code ?? '';
  const why = cause?.message || code || said;
  return clientError('CONNECTION_LOST', `the gateway at ${origin} can’t be reached: ${why}`, {
    retryable: true,
    outcomeUnknown: !NOT_SENT.has(code),
    cause: error,
  });
}
