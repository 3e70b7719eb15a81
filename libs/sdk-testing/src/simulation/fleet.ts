import { MemoryStateStore, type MemoryLog } from '@athena/event-log';
import { Refused } from '@athena/operation';
import type { MemoryBus } from '../bus/memory-bus.js';
import type { History } from '../platform/history.js';
import { withCalls, type ProcessSurroundings } from '../platform/surroundings.js';
import type { SeededIds } from '../seeded-ids.js';
import { coarse } from '../time/coarse.js';
import type { VirtualTime } from '../time/virtual-time.js';
import type { Chance } from './chance.js';
import { GatedLog, GatedStore } from './gated-log.js';
import { LeaseOffice } from './lease-office.js';
import { SERVICES } from './services.js';
import { SimProcess } from './sim-process.js';

const LOOK_MS = 50;
const SKEW_MS_MAX = 400;
const DOWN_MS_MAX = 6_000;
const FROZEN_MS_MAX = 9_000;
/** How likely a lease goes to another at a tick. */
const WHIM = 0.01;
const STRIKE_MS_MAX = 6_000;

/** One place where a process runs; another takes its place when it has crashed. */
interface Slot {
  readonly name: string;
  readonly run: (process: SimProcess) => void;
  process: SimProcess | null;
}

export interface FleetOptions {
  readonly bus: MemoryBus;
  readonly time: VirtualTime;
  readonly ids: SeededIds;
  readonly chance: Chance;
  readonly log: MemoryLog;
  readonly history: History;
  readonly taskPartitions: number;
  /** Whether states are stored, or restarts begin at the log's first message. */
  readonly stored: boolean;
  /** Steps of processes between two that go wrong. */
  readonly stepsApart: number;
  readonly onFault: (error: unknown) => void;
}

/** All processes, what happens to them, and their return. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #slots: Slot[] = [];
  readonly #leases: LeaseOffice;
  readonly #store = new MemoryStateStore();
  #healed = false;
  #untilTrouble: number;
  #incarnations = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    const { time, ids } = options;
    this.#untilTrouble = options.stepsApart;
    this.#leases = new LeaseOffice({ time, ids, whim: () => (this.#healed ? 0 : WHIM) });
    this.#strikeSoon();
  }

  service(name: string, place: number): void {
    this.#add(`${name}-${place}`, (process) => {
      const { history, bus } = this.#options;
      const connections = {
        onGone: (tell: (user: string) => void) =>
          bus.onGone((user) => process.gate.pass(() => tell(user))),
        isConnected: (user: string) => bus.isConnected(user),
      };
      SERVICES[name]?.(withCalls(this.#surroundings(process)), { history, connections });
    });
  }

  /** Anything else that runs in a process. */
  other(name: string, run: (process: SimProcess) => void): void {
    this.#add(name, run);
  }

  /** One that nothing happens to. */
  sound(name: string): SimProcess {
    return this.#newProcess(name, () => undefined);
  }

  /** From now on nothing happens to anybody, and everybody is there. */
  heal(): void {
    this.#healed = true;
    for (const slot of this.#slots) {
      slot.process?.cutOff(false);
      slot.process?.gate.thaw();
      if (!slot.process) this.#start(slot);
    }
  }

  #add(name: string, run: (process: SimProcess) => void): void {
    const slot: Slot = { name, run, process: null };
    this.#slots.push(slot);
    this.#start(slot);
  }

  #start(slot: Slot): void {
    const process = this.#newProcess(slot.name, () => this.#step(slot));
    slot.process = process;
    process.gate.pass(() => slot.run(process));
  }

  #newProcess(slot: string, onStep: () => void): SimProcess {
    const { bus, time, ids, chance } = this.#options;
    const skewMs = chance.between(-SKEW_MS_MAX, SKEW_MS_MAX);
    const name = slot.includes('-') ? slot : `${slot}-0`;
    return new SimProcess({ name, bus, time, ids, skewMs, onStep });
  }

  /** Before every step of every process something may go wrong with it. */
  #step(slot: Slot): void {
    if (this.#healed || --this.#untilTrouble > 0) return;
    const { chance, stepsApart } = this.#options;
    this.#untilTrouble = chance.between(1, 2 * stepsApart);
    this.#strike(slot);
  }

  /** Now and then to anybody, so that those who take few steps have their share. */
  #strikeSoon(): void {
    const { time, chance } = this.#options;
    time.after(chance.between(1, STRIKE_MS_MAX), () => {
      if (this.#healed) return;
      const slot = chance.oneOf(this.#slots.filter(({ process }) => process !== null));
      if (slot) this.#strike(slot);
      this.#strikeSoon();
    });
  }

  #strike(slot: Slot): void {
    const what = this.#options.chance.between(1, 10);
    if (what <= 5) this.#crash(slot);
    else if (what <= 8) this.#freeze(slot);
    else this.#cutOff(slot);
  }

  #crash(slot: Slot): void {
    const { time, chance } = this.#options;
    slot.process?.crash();
    slot.process = null;
    time.after(chance.between(0, DOWN_MS_MAX), () => {
      if (!slot.process) this.#start(slot);
    });
  }

  #freeze({ process }: Slot): void {
    const { time, chance } = this.#options;
    process?.gate.freeze();
    time.after(chance.between(1, FROZEN_MS_MAX), () => process?.gate.thaw());
  }

  #cutOff({ process }: Slot): void {
    const { time, chance } = this.#options;
    process?.cutOff(true);
    time.after(chance.between(1, FROZEN_MS_MAX), () => process?.cutOff(false));
  }

  #surroundings(process: SimProcess): ProcessSurroundings {
    const { log, ids, taskPartitions, stored, onFault } = this.#options;
    return {
      nats: process.connect('core'),
      log: new GatedLog(log, process.gate),
      ...(stored && { store: new GatedStore(this.#store, process.gate) }),
      lease: (role) => this.#leases.lease(role, process),
      owner: `${process.name}.${++this.#incarnations}`,
      clock: process,
      timers: process,
      looks: coarse(process, LOOK_MS),
      ids,
      taskPartitions,
      // What another process did not answer is no fault of the program.
      onFault: (error) => error instanceof Refused || onFault(error),
      onFailure: () => undefined,
    };
  }
}
