import type { Bus, BusListener, BusSubscription } from '@athena/service-kit/wire';
import type { Payload, PublishOptions, Status } from '@nats-io/transport-node';
import type { MemoryBus } from './memory-bus.js';

/** One connection to the bus: as much of a NATS connection as services and the SDK use. */
export class MemoryConnection implements Bus {
  /** Nothing passes either way, and nobody is told. */
  isCutOff = false;
  readonly user: string;
  readonly #bus: MemoryBus;
  readonly #closing: Promise<void>;
  #closed = false;
  #tellClosed: () => void = () => undefined;

  constructor(bus: MemoryBus, user: string) {
    this.#bus = bus;
    this.user = user;
    this.#closing = new Promise((resolve) => (this.#tellClosed = resolve));
  }

  publish(subject: string, payload: Payload = '', options: PublishOptions = {}): void {
    if (this.#closed) throw new Error('the connection is closed');
    if (this.isCutOff) return;
    const { reply, headers } = options;
    this.#bus.send({ from: this, subject, data: Buffer.from(payload), reply, headers });
  }

  subscribe(subject: string, { queue, callback }: BusListener): BusSubscription {
    let open = true;
    const forget = this.#bus.listen({ owner: this, pattern: subject.split('.'), queue, callback });
    const end = (): void => {
      open = false;
      forget();
    };
    return {
      unsubscribe: end,
      drain: async () => end(),
      isClosed: () => !open,
      isDraining: () => false,
    };
  }

  /** A connection in memory is never lost and found again: there is nothing to tell. */
  status(): AsyncIterable<Status> {
    const next = async (): Promise<IteratorResult<Status>> => {
      await this.#closing;
      return { done: true, value: undefined };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  closed(): Promise<void> {
    return this.#closing;
  }
  isClosed(): boolean {
    return this.#closed;
  }
  isDraining(): boolean {
    return false;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#bus.left(this);
    this.#tellClosed();
  }
}
