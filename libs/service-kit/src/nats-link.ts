import type { Bus } from './bus.js';

type Listener = (connected: boolean) => void;

/**
 * Whether a connection is up. The client buffers what is published while it is down, without any
 * bound, so that whoever publishes much asks here first.
 */
export class NatsLink {
  readonly #listeners = new Set<Listener>();
  #connected: boolean;

  private constructor(nats: Bus) {
    this.#connected = !nats.isClosed();
    void this.#watch(nats);
    void nats.closed().then(() => this.#turn(false));
  }

  /** The link of a connection; one for all who ask. */
  static of(nats: Bus): NatsLink {
    const link = links.get(nats) ?? new NatsLink(nats);
    links.set(nats, link);
    return link;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Calls back on every change; returns what ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #watch(nats: Bus): Promise<void> {
    for await (const { type } of nats.status()) {
      if (type === 'disconnect') this.#turn(false);
      if (type === 'reconnect') this.#turn(true);
    }
  }

  #turn(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const listener of [...this.#listeners]) listener(connected);
  }
}

const links = new WeakMap<Bus, NatsLink>();
