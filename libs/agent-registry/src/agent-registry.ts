import type { AgentStatus } from '@athena/contracts';
import {
  systemClock,
  systemTimers,
  type Clock,
  type EventLog,
  type Lease,
  type StateStore,
  type Timers,
} from '@athena/event-log';
import {
  ProjectionRunner,
  TableModel,
  type Projection,
  type ProjectionObserver,
} from '@athena/projection';
import {
  AgentDoor,
  PartitionHost,
  ServiceEndpoint,
  type EdgeObserver,
  type HostedService,
  type OperationCaller,
  type PartitionHostObserver,
  type ServiceHandler,
} from '@athena/service-kit';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import { registryVerbs } from './agent-verbs.js';
import { PresenceBook } from './domain/presence.js';
import type { RegistryState } from './domain/registry-state.js';
import { handleAgentHealth } from './operations/agent-health.js';
import { handleFindAgents } from './operations/find-agents.js';
import { handleFleetStatistics } from './operations/fleet-statistics.js';
import { handleGetAgent } from './operations/get-agent.js';
import { RegistryReader } from './operations/registry-reader.js';
import { handleHeartbeatAgent } from './operations/heartbeat-agent.js';
import { handleReportPerformance } from './operations/report-performance.js';
import { countByStatus } from './presence/live-agent.js';
import { OwnedRegistry } from './presence/owned-registry.js';
import { PresenceWatch } from './presence/presence-watch.js';
import type { SystemAccountOptions } from './presence/system-account.js';
import { watchedRegistry } from './presence/watched-registry.js';
import { agentRecords } from './projections/agent-records.js';
import { agents } from './projections/agents.js';

export const SERVICE = 'agent-registry';
/** The one partition of the registry: sessions are numbered over the whole of it. */
const PARTITION = 0;
export const PARTITION_NAME = `agent.${PARTITION}`;

export interface AgentRegistryObserver {
  readonly host: PartitionHostObserver;
  readonly projection: (name: string) => ProjectionObserver;
  readonly edge: EdgeObserver;
  /** What failed that is no refusal; `where` names the operation or the part. */
  readonly failed: (error: unknown, where: string) => void;
}

export interface AgentRegistryOptions {
  /** Of account CORE. */
  readonly nats: NatsConnection;
  readonly log: EventLog;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly store: StateStore;
  readonly pool: Pool;
  readonly projectionPool: Pool;
  readonly lease: Lease;
  /** This process, for the record. */
  readonly owner: string;
  readonly calls: OperationCaller;
  /** Without it dead agents are noticed by their silence alone. */
  readonly system?: SystemAccountOptions;
  readonly observer: AgentRegistryObserver;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** One process of the agent registry: owner or standby of `agent.0`, its reads, its doors. */
export class AgentRegistry implements HostedService {
  readonly name = SERVICE;
  readonly #options: AgentRegistryOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #book: PresenceBook;
  readonly #host: PartitionHost<RegistryState>;
  readonly #registry: OwnedRegistry;
  readonly #projections: readonly ProjectionRunner[];
  readonly #presence: PresenceWatch;
  #doors: readonly { close(): Promise<void> }[] = [];

  constructor(options: AgentRegistryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#book = new PresenceBook(this.#clock.now());
    this.#host = this.#makeHost();
    this.#registry = new OwnedRegistry(() => this.#host.partition);
    this.#presence = new PresenceWatch({
      ...options,
      registry: this.#registry,
      book: this.#book,
      clock: this.#clock,
      timers: this.#timers,
      failed: options.observer.failed,
    });
    this.#projections = [agents, agentRecords].map((projection) => this.#runner(projection));
  }

  /** Agents of all projects by status, where this process is the owner. */
  get counts(): Readonly<Partial<Record<AgentStatus, number>>> {
    const { state } = this.#registry;
    return state ? countByStatus(state, this.#book, this.#clock.now()) : {};
  }

  get projections(): readonly ProjectionRunner[] {
    return this.#projections;
  }

  get parts(): readonly PartitionHost<RegistryState>[] {
    return [this.#host];
  }

  start(): void {
    const { failed } = this.#options.observer;
    this.#host.start();
    for (const runner of this.#projections) {
      runner.start().catch((error: unknown) => failed(error, `projection ${runner.name}`));
    }
    this.#presence.start();
    this.#openDoors();
  }

  /** Takes nothing new, answers what it has, stores the state, gives the lease up. */
  async stop(): Promise<void> {
    await Promise.all(this.#doors.map((door) => door.close()));
    await this.#presence.stop();
    await this.#host.close();
    await Promise.all(this.#projections.map((runner) => runner.stop()));
  }

  #makeHost(): PartitionHost<RegistryState> {
    const { nats, log, feed, store, lease, owner, observer } = this.#options;
    return new PartitionHost({
      nats,
      aggregate: 'agent',
      number: PARTITION,
      decider: watchedRegistry(this.#book, this.#clock),
      log,
      feed,
      store,
      lease,
      owner,
      observer: observer.host,
      timers: this.#timers,
    });
  }

  #runner(projection: Projection): ProjectionRunner {
    const { projectionPool, log, feed, observer } = this.#options;
    return new ProjectionRunner({
      pool: projectionPool,
      log,
      feed,
      model: new TableModel(projection),
      observer: observer.projection(projection.name),
      clock: this.#clock,
      timers: this.#timers,
    });
  }

  #openDoors(): void {
    const { nats, calls, observer } = this.#options;
    const endpoint = new ServiceEndpoint({
      nats,
      service: SERVICE,
      handlers: this.#handlers(),
      timers: this.#timers,
      onError: (error, { op }) => observer.failed(error, op),
    });
    const verbs = registryVerbs(calls);
    const door = new AgentDoor({ nats, queue: SERVICE, verbs, observer: observer.edge });
    this.#doors = [endpoint, door];
  }

  #handlers(): readonly ServiceHandler[] {
    const { calls, pool, log } = this.#options;
    const reader = new RegistryReader({ calls, pool, log, projections: this.#projections });
    return [
      handleGetAgent(reader),
      handleAgentHealth(reader),
      handleFindAgents(reader),
      handleFleetStatistics(reader),
      handleHeartbeatAgent(calls),
      handleReportPerformance(calls, reader),
    ];
  }
}
