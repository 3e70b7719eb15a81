import { operations } from '@athena/contracts';
import { MemoryLog, type Ids, type Lease } from '@athena/event-log';
import type { RouterService } from '@athena/router/parts';
import { ApiEndpoint } from '@athena/service-kit/wire';
import { MemoryBus } from '../bus/memory-bus.js';
import { coarse } from '../time/coarse.js';
import type { VirtualTime } from '../time/virtual-time.js';
import { onlyAnswerable } from './answerable.js';
import { startArchive } from './archive.js';
import { History } from './history.js';
import { startRegistry } from './registry.js';
import { newRouter } from './router.js';
import { withCalls, type ServiceSurroundings } from './surroundings.js';
import { startTasks } from './tasks.js';

/** How exactly the router ends claims' waits, and callers repeat what was not answered. */
const LOOK_MS = 1_000;
const START_TURNS_MAX = 100;
const OWNER = 'testing-kit';

/** There is one process of every service: it has every lease. */
const soleLease: Lease = {
  held: true,
  onChange: () => undefined,
  release: async () => undefined,
};

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
  readonly #world: ServiceSurroundings;
  readonly #router: RouterService;

  constructor(time: VirtualTime, ids: Ids) {
    this.#time = time;
    const log = new MemoryLog({ timers: time });
    const onFault = (error: unknown): void => void this.faults.push(error);
    this.bus = new MemoryBus({ onTraffic: time.stir });
    this.history = new History(log);
    const nats = this.bus.connect('core');
    const world = withCalls({
      nats,
      log,
      lease: () => soleLease,
      owner: OWNER,
      clock: time,
      timers: time,
      looks: coarse(time, LOOK_MS),
      ids,
      taskPartitions: 1,
      onFault,
      onFailure: onFault,
    });
    this.#world = world;
    const handlers = [
      ...startTasks(world, this.history),
      ...startRegistry(world, this.history, this.bus),
      ...startArchive(world, this.history),
    ];
    this.#router = newRouter(world);
    const caller = onlyAnswerable(world.calls, handlers);
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
    this.#world.close();
  }

  #isRouting(): boolean {
    return this.#router.readiness.state === 'active';
  }
}
