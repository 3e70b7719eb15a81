import type { Surroundings } from '@athena/sdk';
import type { MemoryBus } from './bus/memory-bus.js';
import type { MemoryConnection } from './bus/memory-connection.js';
import type { SeededIds } from './seeded-ids.js';
import { Lifetime } from './time/lifetime.js';
import type { VirtualTime } from './time/virtual-time.js';

/** What an agent or a client runs in, so that it can be taken away from it. */
export class TestProcess {
  readonly surroundings: Surroundings;
  readonly #lifetime: Lifetime;
  readonly #connections: MemoryConnection[] = [];

  constructor(bus: MemoryBus, time: VirtualTime, ids: SeededIds) {
    this.#lifetime = new Lifetime(time);
    this.surroundings = {
      time: { now: () => time.now(), after: (ms, callback) => this.#lifetime.after(ms, callback) },
      newId: ids.uuid,
      random: ids.fraction,
      connect: async ({ user }) => {
        const connection = bus.connect(user);
        this.#connections.push(connection);
        return connection;
      },
    };
  }

  async kill(): Promise<void> {
    this.#lifetime.end();
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  cutOff(isCutOff: boolean): void {
    for (const connection of this.#connections) connection.isCutOff = isCutOff;
  }
}
