import { clientId } from '@athena/contracts';
import {
  INVALID_INPUT,
  Refused,
  UNKNOWN_OPERATION,
  apiSubject,
  type Operation,
} from '@athena/operation';
import { headers } from '@nats-io/transport-node';
import type { Bus } from './bus.js';
import type { Caller, OperationCaller } from './calling.js';
import {
  EdgeRequests,
  bodyOf,
  eachItem,
  itemsOf,
  type EdgeAnswer,
  type EdgeMessage,
  type EdgeObserver,
} from './edge-requests.js';
import { checkInput, takesField } from './input-check.js';

/** Requests of applications under way in one process. */
export const API_REQUESTS_MAX = 10_000;
export const SEQ_HEADER = 'Athena-Seq';
export const IDEMPOTENCY_HEADER = 'Idempotency-Key';
const REQUEST_INFO_HEADER = 'Nats-Request-Info';
const CLOSE_MS_MAX = 5_000;
const NAME_PLACE = 4;

export interface ApiEndpointOptions {
  readonly nats: Bus;
  readonly queue: string;
  /** Those with a scope are served. */
  readonly operations: readonly Operation[];
  readonly caller: OperationCaller;
  readonly observer?: EdgeObserver;
  readonly requestsMax?: number;
}

/**
 * Serves applications over NATS: every operation that has a scope, at
 * `athena.api.v1.<project>.<operation>`. What an application may call is up to its permissions.
 */
export class ApiEndpoint {
  readonly #caller: OperationCaller;
  readonly #requests: EdgeRequests;
  readonly #operations: ReadonlyMap<string, Operation>;

  constructor(options: ApiEndpointOptions) {
    const { nats, queue, operations, caller, observer, requestsMax } = options;
    this.#caller = caller;
    const outside = operations.filter(({ scope }) => scope !== undefined);
    this.#operations = new Map(outside.map((operation) => [operation.name, operation]));
    this.#requests = new EdgeRequests(nats, requestsMax ?? API_REQUESTS_MAX, observer);
    this.#requests.listen(apiSubject('*', '>'), queue, (message) => this.#answer(message));
  }

  /** Takes nothing new and finishes what is under way, within a few seconds. */
  close(): Promise<void> {
    return this.#requests.close(CLOSE_MS_MAX);
  }

  async #answer(message: EdgeMessage): Promise<EdgeAnswer> {
    const { operation, caller } = this.#addressed(message);
    const body = bodyOf(message);
    const items = takesField(operation, 'items') ? null : itemsOf(body);
    const seqs: number[] = [];
    const one = async (raw: unknown, key: string): Promise<unknown> => {
      const input = checkInput(operation, withKey(operation, raw, key));
      const { output, seq } = await this.#caller.call(operation, input, caller);
      seqs.push(seq);
      return output;
    };
    const answer = items
      ? await eachItem(items, (item) => one(item, ''))
      : await one(body, message.headers?.get(IDEMPOTENCY_HEADER) ?? '');
    const head = headers();
    head.set(SEQ_HEADER, String(Math.max(0, ...seqs)));
    return { body: answer, headers: head };
  }

  #addressed(message: EdgeMessage): { operation: Operation; caller: Caller } {
    const tokens = message.subject.split('.');
    const project = tokens[NAME_PLACE - 1];
    if (!clientId.safeParse(project).success) {
      throw Refused.because(INVALID_INPUT, 'the subject names no project', 'project');
    }
    const name = tokens.slice(NAME_PLACE).join('.');
    const operation = this.#operations.get(name);
    if (!operation) throw Refused.because(UNKNOWN_OPERATION, 'the subject names no operation');
    return { operation, caller: { project: project as string, actor: actorOf(message) } };
  }
}

/** The user's name where the broker tells it (import with `share`); written by the broker only. */
function actorOf(message: EdgeMessage): string {
  const info = message.headers?.get(REQUEST_INFO_HEADER);
  if (!info) return 'app:nats';
  try {
    const { user } = JSON.parse(info) as { user?: unknown };
    const name = typeof user === 'string' ? (user.split('.').at(-1) ?? '') : '';
    return clientId.safeParse(name).success ? `app:${name}` : 'app:nats';
  } catch {
    return 'app:nats';
  }
}

/** The header counts where the input has such a field and the body leaves it out. */
function withKey(operation: Operation, raw: unknown, key: string): unknown {
  if (key === '' || !takesField(operation, 'idempotencyKey')) return raw;
  if (typeof raw !== 'object' || raw === null) return raw;
  return { idempotencyKey: key, ...raw };
}
