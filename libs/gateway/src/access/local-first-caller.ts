import { newAggregateId, type Input, type Operation, type Output } from '@athena/operation';
import type { Clock, Ids } from '@athena/event-log';
import type { Called, Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';

const ID_RANDOM_BYTES = 8;

/**
 * Answers in this process what it has a handler for, and asks over NATS for the rest. So a new
 * key's secret never travels, and the gateway that changed the keys is the one that acts on it.
 */
export class LocalFirstCaller implements OperationCaller {
  readonly #handlers: ReadonlyMap<string, ServiceHandler>;
  readonly #remote: OperationCaller;
  readonly #clock: Clock;
  readonly #ids: Ids;

  constructor(
    handlers: readonly ServiceHandler[],
    remote: OperationCaller,
    { clock, ids }: { clock: Clock; ids: Ids },
  ) {
    this.#handlers = new Map(handlers.map((handler) => [handler.operation.name, handler]));
    this.#remote = remote;
    this.#clock = clock;
    this.#ids = ids;
  }

  call<T extends Operation>(
    operation: T,
    input: Input<T>,
    caller: Caller,
  ): Promise<Called<Output<T>>> {
    const handler = this.#handlers.get(operation.name);
    if (!handler) return this.#remote.call(operation, input, caller);
    const id = caller.id ?? newAggregateId(this.#clock.now(), 0, this.#ids.random(ID_RANDOM_BYTES));
    return handler.handle(input, { ...caller, id }) as Promise<Called<Output<T>>>;
  }
}
