import { MemoryLog } from '@athena/event-log';
import { MemoryBus } from '../bus/memory-bus.js';
import { History } from '../platform/history.js';
import { SeededIds } from '../seeded-ids.js';
import { VirtualTime } from '../time/virtual-time.js';
import { Chance } from './chance.js';
import type { Recorded } from './checks/recorded.js';
import { openTasks } from './checks/recorded.js';
import { Application, CAPABILITIES } from './clients.js';
import { Fleet } from './fleet.js';
import { Recorder } from './recorder.js';
import { Weather } from './weather.js';
import { work, type Execution } from './workers.js';

const FAULTS_MS = 30_000;
const STEP_MS = 5_000;
const DRAIN_MS_MAX = 15 * 60_000;
const STEPS_PER_APPLICATION = 25;
const PROCESSES = 2;
type Range = readonly [least: number, most: number];
/** Steps of processes between two that go wrong: hardly ever, or without pause. */
const TROUBLE: readonly Range[] = [
  [50, 150],
  [150, 500],
  [500, 2_000],
];

/** One run of everything under faults that the seed chooses, until all is done. */
export async function simulate(seed: number): Promise<Recorded> {
  const world = new World(seed);
  await world.run();
  return world.recorded;
}

class World {
  readonly #time = new VirtualTime();
  readonly #chance: Chance;
  readonly #weather: Weather;
  readonly #log: MemoryLog;
  readonly #recorder: Recorder;
  readonly #history: History;
  readonly #fleet: Fleet;
  readonly #ledger: Execution[] = [];
  readonly #faults: unknown[] = [];
  #applications = 0;

  constructor(seed: number) {
    const time = this.#time;
    const ids = new SeededIds(seed);
    this.#chance = new Chance(new SeededIds(seed ^ 0x5eed));
    const chance = this.#chance;
    this.#weather = new Weather(chance);
    const faults = () => this.#weather.appendFault();
    this.#log = new MemoryLog({ timers: time, ackMs: chance.between(1, 5), faults });
    this.#recorder = new Recorder(() => this.#log.messages.length);
    this.#history = new History(this.#log);
    const bus = new MemoryBus({
      onTraffic: time.stir,
      timers: time,
      journey: (sent) => {
        this.#recorder.hear(sent);
        return this.#weather.journey(sent);
      },
    });
    const [log, history] = [this.#log, this.#history];
    const onFault = (error: unknown): void => void this.#faults.push(error);
    const taskPartitions = chance.oneOf([1, 1, 2, 3]) as number;
    const [stored, stepsApart] = [
      chance.happens(0.5),
      chance.between(...(chance.oneOf(TROUBLE) as Range)),
    ];
    const settings = { taskPartitions, stored, stepsApart, onFault };
    this.#fleet = new Fleet({ bus, time, ids, chance, log, history, ...settings });
  }

  get recorded(): Recorded {
    const { commits } = this.#history;
    const { asked } = this.#recorder;
    return { commits, asked, ledger: this.#ledger, faults: this.#faults };
  }

  async run(): Promise<void> {
    this.#populate();
    await this.#time.advance(FAULTS_MS);
    this.#weather.fair = true;
    this.#log.resume();
    this.#fleet.heal();
    const end = this.#time.now() + DRAIN_MS_MAX;
    do await this.#time.advance(STEP_MS);
    while (!this.#isDone() && this.#time.now() < end);
  }

  #isDone(): boolean {
    return this.#applications === 0 && openTasks(this.#history.commits).length === 0;
  }

  #populate(): void {
    const chance = this.#chance;
    const fleet = this.#fleet;
    for (const service of ['task-queue', 'agent-registry', 'router', 'gateway']) {
      for (let place = 0; place < PROCESSES; place += 1) fleet.service(service, place);
    }
    const agents = chance.between(3, 5);
    for (let place = 0; place < agents; place += 1) this.#employ(place);
    for (let place = 0; place < 2; place += 1) {
      this.#applications += 1;
      const application = new Application(fleet.sound(`application-${place}`), chance);
      void application.run(STEPS_PER_APPLICATION).finally(() => (this.#applications -= 1));
    }
    this.#planPauses();
  }

  #employ(place: number): void {
    const chance = this.#chance;
    const settings = {
      agentId: `agent-${place}`,
      kind: `kind-${place % 2}`,
      // The first can do everything, so that in the end all is done.
      capabilities: place === 0 ? CAPABILITIES : [chance.oneOf(CAPABILITIES) as string],
      concurrency: chance.between(1, 4),
      start: chance.happens(0.5) ? ('confirmed' as const) : ('implied' as const),
    };
    this.#fleet.other(settings.agentId, (process) => work(process, settings, chance, this.#ledger));
  }

  /** The broker hangs now and then. */
  #planPauses(): void {
    const chance = this.#chance;
    if (chance.happens(0.7)) return;
    this.#time.after(chance.between(1, FAULTS_MS), () => {
      this.#log.pause();
      this.#time.after(chance.between(1, 5_000), () => this.#log.resume());
    });
  }
}
