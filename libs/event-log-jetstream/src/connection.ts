import type { NatsConnection } from '@nats-io/transport-node';

type Listener = () => void;

/** Whether the server can be reached now, and who wants to know when that changes. */
export class Connection {
  readonly nc: NatsConnection;
  readonly #onLost = new Set<Listener>();
  readonly #onBack = new Set<Listener>();
  #connected = true;
  #closed = false;

  constructor(nc: NatsConnection) {
    this.nc = nc;
    void this.#watch();
  }

  get connected(): boolean {
    return this.#connected && !this.closed;
  }

  /** The connection was closed for good. */
  get closed(): boolean {
    return this.#closed || this.nc.isClosed();
  }

  /** Calls `lost` when the connection breaks or is closed; returns what ends that. */
  onLost(lost: Listener): () => void {
    this.#onLost.add(lost);
    return () => this.#onLost.delete(lost);
  }

  /** Calls `back` when the client has connected again. */
  onBack(back: Listener): () => void {
    this.#onBack.add(back);
    return () => this.#onBack.delete(back);
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.nc.status()) {
      if (type === 'disconnect') {
        this.#connected = false;
        for (const lost of [...this.#onLost]) lost();
      } else if (type === 'reconnect') {
        this.#connected = true;
        for (const back of [...this.#onBack]) back();
      }
    }
    this.#closed = true;
    for (const lost of [...this.#onLost]) lost();
  }
}
