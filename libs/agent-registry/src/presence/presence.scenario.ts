import { registerAgent, type AgentMode } from '@athena/contracts';
import { MemoryLog, Partition, SimulatedTime, decodeCommit } from '@athena/event-log';
import type { Input, Operation, WireAnswer } from '@athena/operation';
import type { AgentKey } from '../domain/happened.js';
import { PresenceBook } from '../domain/presence.js';
import { keyOf, type RegistryState } from '../domain/registry-state.js';
import { DisconnectWatch } from './disconnect-watch.js';
import { OwnedRegistry } from './owned-registry.js';
import { SilenceWatch } from './silence-watch.js';
import { watchedRegistry } from './watched-registry.js';

export const PROJECT = 'default';

/** The broker's knowledge of connections, as the test says it is. */
class Connections {
  readonly open = new Set<string>();
  #listener: (agent: AgentKey) => void = () => undefined;

  onDisconnect(listener: (agent: AgentKey) => void): void {
    this.#listener = listener;
  }
  async isConnected(agent: AgentKey): Promise<boolean> {
    return this.open.has(keyOf(agent));
  }
  close(agentId: string): void {
    const agent = { project: PROJECT, agentId };
    this.open.delete(keyOf(agent));
    this.#listener(agent);
  }
}

/** An owner of the registry that hears contacts, on simulated time and a log in memory. */
export class PresenceScenario {
  readonly time = new SimulatedTime();
  readonly log = new MemoryLog({ timers: this.time });
  readonly book = new PresenceBook(this.time.now());
  readonly connections = new Connections();
  connected = true;
  partition!: Partition<RegistryState>;
  readonly #registry = new OwnedRegistry(() => this.partition);
  readonly #options = {
    registry: this.#registry,
    book: this.book,
    clock: this.time,
    timers: this.time,
  };
  readonly #silence = new SilenceWatch({ ...this.#options, connected: () => this.connected });
  readonly disconnects = new DisconnectWatch({ ...this.#options, system: this.connections });
  #ids = 0;

  static async open(): Promise<PresenceScenario> {
    const scenario = new PresenceScenario();
    await scenario.takeOver();
    scenario.#silence.start();
    return scenario;
  }

  /** A new owner opens, with the state that the log tells and an empty book. */
  async takeOver(): Promise<void> {
    this.partition = await Partition.open({
      name: 'agent.0',
      log: this.log,
      decider: watchedRegistry(this.book, this.time),
      owner: 'test',
      clock: this.time,
      timers: this.time,
    });
  }

  async ask<T extends Operation>(
    operation: T,
    input: Input<T>,
    actor = 'key:k1',
  ): Promise<WireAnswer> {
    const command = { op: operation.name, id: `c${++this.#ids}`, project: PROJECT, actor, input };
    let answer: WireAnswer | undefined;
    this.partition.submit(command, (given) => (answer = given));
    while (!answer) await this.time.settle();
    return answer;
  }

  async ok<T extends Operation>(operation: T, input: Input<T>, actor?: string): Promise<never> {
    const answer = await this.ask(operation, input, actor);
    if ('refusal' in answer) throw new Error(answer.refusal.detail);
    return answer.ok as never;
  }

  async register(agentId: string, mode: AgentMode = 'claim'): Promise<void> {
    const actor = mode === 'claim' ? `agent:${agentId}` : 'key:k1';
    await this.ok(registerAgent, { agentId, capabilities: [], maxConcurrentTasks: 5 }, actor);
    if (mode === 'claim') this.connections.open.add(keyOf({ project: PROJECT, agentId }));
  }

  /** Everything in the log about sessions, as `Type agent session reason`. */
  get told(): readonly string[] {
    return this.log.messages.flatMap(({ seq, subject, payload }) =>
      decodeCommit(seq, subject, payload)
        .events.filter(({ type }) => /^Agent(SessionEnded|Returned)$/.test(type))
        .map(({ type, id, data }) => {
          const { session, reason = '' } = data as { session: number; reason?: string };
          return `${type} ${id} ${session} ${reason}`.trim();
        }),
    );
  }
}
