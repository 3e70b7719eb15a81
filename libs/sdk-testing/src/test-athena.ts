import { Agent, AthenaClient, type AgentOptions, type PlainHandler } from '@athena/sdk';
import type { Logger } from '@athena/sdk';
import type { RecordedEvent } from './platform/history.js';
import { Platform } from './platform/platform.js';
import { TestProcess } from './test-process.js';
import { SeededIds } from './seeded-ids.js';
import { milliseconds, type Duration } from './time/duration.js';
import { VirtualTime } from './time/virtual-time.js';

export interface TestAthenaOptions {
  /** What the clock shows at first; default: 2026-01-01T00:00:00Z. */
  readonly now?: Date;
  /** Of all ids and jitter: the same seed gives the same events; default 1. */
  readonly seed?: number;
  readonly project?: string;
}

export type TestAgentOptions = Omit<AgentOptions, 'natsUrl' | 'project' | 'apiKey' | 'agentId'> & {
  /** The agent's id. */
  readonly id: string;
};

const PROJECT = 'default';
const API_KEY = 'ak_testing';
const NATS_URL = 'memory:';
const PATIENCE: Duration = '1h';
const noLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Athena in memory, with a clock that goes on when the test says so. Agents and clients are those
 * of @athena/sdk; what they talk to are the real deciders, the real router and the real protocol.
 */
export class TestAthena {
  readonly project: string;
  readonly #time: VirtualTime;
  readonly #ids: SeededIds;
  readonly #platform: Platform;
  readonly #agents = new Map<string, TestProcess>();
  readonly #clients: TestProcess[] = [];

  private constructor({ now, seed = 1, project = PROJECT }: TestAthenaOptions) {
    this.project = project;
    this.#time = new VirtualTime(now?.getTime());
    this.#ids = new SeededIds(seed);
    this.#platform = new Platform(this.#time, this.#ids);
  }

  static async start(options: TestAthenaOptions = {}): Promise<TestAthena> {
    const athena = new TestAthena(options);
    await athena.#platform.start();
    return athena;
  }

  /** What the clock shows. */
  get now(): Date {
    return new Date(this.#time.now());
  }

  /**
   * A client of its own connection. It answers for everything but what is read from Postgres:
   * lists, statistics, insights, keys; those are refused with UNKNOWN_OPERATION.
   */
  async client(name = 'test'): Promise<AthenaClient> {
    const process = this.#process();
    this.#clients.push(process);
    const { project } = this;
    return AthenaClient.connectNats(
      { natsUrl: NATS_URL, project, name, apiKey: API_KEY },
      process.surroundings,
    );
  }

  /** An agent that is registered and hands all its tasks to the handler. */
  async agent(options: TestAgentOptions, handler: PlainHandler): Promise<Agent> {
    const agent = this.newAgent(options).handle('*', handler);
    await agent.start();
    return agent;
  }

  /** An agent of @athena/sdk that lives in here: give it handlers, then `start()` it. */
  newAgent({ id, ...options }: TestAgentOptions): Agent {
    const process = this.#process();
    this.#agents.set(id, process);
    const { project } = this;
    const place = { natsUrl: NATS_URL, project, apiKey: API_KEY, agentId: id };
    return new Agent({ log: noLogger, ...options, ...place }, process.surroundings);
  }

  /** Lets time pass: whatever comes due on the way happens, each at its own instant. */
  async advance(duration: Duration): Promise<void> {
    await this.#time.advance(milliseconds(duration));
    this.#checkFaults();
  }

  /** Resolves when nothing is left to do but to wait: no time passes. */
  async settle(): Promise<void> {
    await this.#time.settle();
    this.#checkFaults();
  }

  /**
   * Lets time pass from one thing that is due to the next until the promise is settled.
   * @throws Error when it is not `within` so much virtual time (default: an hour)
   */
  async until<T>(work: Promise<T>, within: Duration = PATIENCE): Promise<T> {
    let settled = false;
    const note = (): void => void (settled = true);
    work.then(note, note);
    const end = this.#time.now() + milliseconds(within);
    for (await this.settle(); !settled; await this.settle()) {
      const next = this.#time.nextAt;
      if (next === undefined || next > end) {
        throw new Error(`not so within ${within} of virtual time; it is ${this.now.toISOString()}`);
      }
      await this.#time.advance(Math.max(0, next - this.#time.now()));
    }
    return work;
  }

  /**
   * For handlers that take their time: resolves when so much of it has passed.
   * @throws the signal's reason when it aborts first
   */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const aborted = (): void => {
        cancel();
        reject(signal?.reason as Error);
      };
      const cancel = this.#time.after(milliseconds(duration), () => {
        signal?.removeEventListener('abort', aborted);
        resolve();
      });
      signal?.addEventListener('abort', aborted, { once: true });
    });
  }

  /** Everything that was recorded about tasks and agents, or about one of them; oldest first. */
  events(id?: string): RecordedEvent[] {
    return this.#platform.history.events(id);
  }

  /**
   * The agent's process dies without a word: its connection closes, and nothing that it still
   * does reaches anybody. Its work goes to others when it has been given up.
   */
  async kill(agent: Agent): Promise<void> {
    await this.#processOf(agent).kill();
    await this.settle();
  }

  /** Nothing passes between the agent and the platform any more, and neither is told. */
  cutOff(agent: Agent): void {
    this.#processOf(agent).cutOff(true);
  }

  /** Ends `cutOff`. What was said meanwhile is lost. */
  reconnect(agent: Agent): void {
    this.#processOf(agent).cutOff(false);
  }

  /** Ends everything at once; nobody is told. Nothing of it keeps the process alive anyway. */
  async stop(): Promise<void> {
    const processes = [...this.#agents.values(), ...this.#clients];
    await Promise.all(processes.map((process) => process.kill()));
    this.#platform.stop();
  }

  #process(): TestProcess {
    return new TestProcess(this.#platform.bus, this.#time, this.#ids);
  }

  #processOf({ agentId }: Agent): TestProcess {
    const process = this.#agents.get(agentId);
    if (!process) throw new Error(`agent ${agentId} does not live in this Athena`);
    return process;
  }

  /** A test must not pass while the platform under it is broken. */
  #checkFaults(): void {
    const { faults } = this.#platform;
    if (faults.length > 0) throw new Error('the platform failed inside', { cause: faults.shift() });
  }
}
