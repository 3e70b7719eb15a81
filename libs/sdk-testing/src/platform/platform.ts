import { operations } from '@athena/contracts';
import { MemoryLog, type Ids } from '@athena/event-log';
import { RouterService } from '@athena/router/parts';
import { ApiEndpoint, OperationClient } from '@athena/service-kit/wire';
import { MemoryBus } from '../bus/memory-bus.js';
import { coarse } from '../time/coarse.js';
import type { VirtualTime } from '../time/virtual-time.js';
import { onlyAnswerable } from './answerable.js';
import { startArchive } from './archive.js';
import { History } from './history.js';
import { startRegistry } from './registry.js';
import { OWNER, soleLease, type ServiceSurroundings } from './surroundings.js';
import { startTasks } from './tasks.js';

/** How exactly the router ends claims' waits, and callers repeat what was not answered. */
const LOOK_MS = 1_000;
const START_TURNS_MAX = 100;

/**
 * Athena in this process: the deciders, the router and the doors of the real services over an
 * event log and a bus in memory.
 */
export class Platform {
  readonly bus: MemoryBus;
  readonly history: History;
  /** What went wrong in the platform itself, against all expectation. */
  readonly faults: unknown[] = [];
  readonly #time: VirtualTime;
  readonly #calls: OperationClient;
  readonly #router: RouterService;

  constructor(time: VirtualTime, ids: Ids) {
    this.#time = time;
    const log = new MemoryLog({ timers: time });
    const onFault = (error: unknown): void => void this.faults.push(error);
    this.bus = new MemoryBus({ onTraffic: time.stir });
    this.history = new History(log);
    const nats = this.bus.connect('core');
    const looks = coarse(time, LOOK_MS);
    const calls = new OperationClient({ nats, clock: time, timers: looks, ids });
    this.#calls = calls;
    const world: ServiceSurroundings = {
      nats,
      log,
      clock: time,
      timers: time,
      ids,
      calls,
      onFault,
    };
    const handlers = [
      ...startTasks(world, this.history),
      ...startRegistry(world, this.history, this.bus),
      ...startArchive(world, this.history),
    ];
    this.#router = new RouterService({
      ...world,
      feed: log,
      lease: soleLease,
      owner: OWNER,
      timers: looks,
      observer: { failed: onFault, error: onFault, edge: { onError: onFault } },
    });
    const caller = onlyAnswerable(calls, handlers);
    const observer = { onError: onFault };
    new ApiEndpoint({ nats, queue: 'gateway', operations, caller, observer });
  }

  /** Resolves when work is taken and given out. No virtual time passes. */
  async start(): Promise<void> {
    // The partitions first: a router that finds them closed would wait before it asks again.
    await this.#time.settle();
    this.#router.start();
    for (let turns = 0; !this.#isRouting(); turns += 1) {
      if (turns > START_TURNS_MAX)
        throw new Error('the platform did not start', { cause: this.faults });
      await this.#time.settle();
    }
  }

  /** Ends all calls under way. */
  stop(): void {
    this.#calls.close();
  }

  #isRouting(): boolean {
    return this.#router.readiness.state === 'active';
  }
}
