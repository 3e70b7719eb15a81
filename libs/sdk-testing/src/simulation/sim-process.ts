import type { Clock, Timers } from '@athena/event-log';
import type { Surroundings } from '@athena/sdk';
import type { BusListener, BusSubscription } from '@athena/service-kit/wire';
import type { Payload, PublishOptions } from '@nats-io/transport-node';
import type { MemoryBus } from '../bus/memory-bus.js';
import { MemoryConnection } from '../bus/memory-connection.js';
import type { SeededIds } from '../seeded-ids.js';
import { Gate } from './gate.js';

export interface SimProcessOptions {
  readonly name: string;
  readonly bus: MemoryBus;
  readonly time: Clock & Timers;
  readonly ids: SeededIds;
  /** How far its clock is off, milliseconds. */
  readonly skewMs: number;
  readonly onStep: (process: SimProcess) => void;
}

/** A process of the simulation: it crashes, freezes and goes on, wherever it stands. */
export class SimProcess implements Clock, Timers {
  readonly name: string;
  readonly gate: Gate;
  readonly ids: SeededIds;
  readonly #options: SimProcessOptions;
  readonly #connections: GatedConnection[] = [];

  constructor(options: SimProcessOptions) {
    this.#options = options;
    this.name = options.name;
    this.ids = options.ids;
    this.gate = new Gate(() => options.onStep(this));
  }

  now(): number {
    return this.#options.time.now() + this.#options.skewMs;
  }

  after(ms: number, callback: () => void): () => void {
    if (this.gate.isGone) return () => undefined;
    let cancelled = false;
    const act = (): void => {
      if (!cancelled) callback();
    };
    const cancel = this.#options.time.after(ms, () => this.gate.pass(act));
    return () => {
      cancelled = true;
      cancel();
    };
  }

  connect(user: string): GatedConnection {
    const { bus } = this.#options;
    const connection = bus.join(new GatedConnection(bus, user, this.gate));
    this.#connections.push(connection);
    return connection;
  }

  /** For what runs in it of the SDK. */
  get surroundings(): Surroundings {
    return {
      time: this,
      newId: this.ids.uuid,
      random: this.ids.fraction,
      connect: async ({ user }) => this.connect(user),
    };
  }

  /** Its memory is lost, and its connections close. */
  crash(): void {
    if (this.gate.isGone) return;
    this.gate.end();
    for (const connection of this.#connections) this.#options.bus.left(connection);
  }

  /** Nothing passes between it and the others, and nobody is told. */
  cutOff(isCutOff: boolean): void {
    for (const connection of this.#connections) connection.isCutOff = isCutOff;
  }
}

class GatedConnection extends MemoryConnection {
  readonly #gate: Gate;

  constructor(bus: MemoryBus, user: string, gate: Gate) {
    super(bus, user);
    this.#gate = gate;
  }

  override publish(subject: string, payload?: Payload, options?: PublishOptions): void {
    if (!this.#gate.isGone) super.publish(subject, payload, options);
  }

  override subscribe(subject: string, { queue, callback }: BusListener): BusSubscription {
    const gated: BusListener['callback'] = (error, message) =>
      this.#gate.pass(() => callback(error, message));
    const subscription = super.subscribe(subject, { ...(queue && { queue }), callback: gated });
    // What a process still does in the step in which it crashed reaches nobody.
    if (this.#gate.isGone) subscription.unsubscribe();
    return subscription;
  }
}
