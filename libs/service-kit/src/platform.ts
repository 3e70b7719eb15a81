import { operations } from '@athena/contracts';
import {
  systemClock,
  systemIds,
  systemTimers,
  type Lease,
  type SharedFeed,
} from '@athena/event-log';
import { KvLease, type JetStreamLog, type StreamWatch } from '@athena/event-log-jetstream';
import { PostgresStateStore, RebuildWatch } from '@athena/projection';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import type { Database } from './database.js';
import { within } from './drain.js';
import type { GuardedLog } from './guarded-log.js';
import { Metrics } from './metrics.js';
import { NatsLink } from './nats-link.js';
import type { OperationCaller } from './calling.js';
import { OperationClient } from './operation-client.js';
import { PartitionedCaller } from './partitioned-caller.js';
import { Peers } from './peers.js';
import { TaskPartitions } from './task-partitions.js';
import { Readiness } from './readiness.js';
import { Telemetry } from './telemetry.js';

/** What a process is connected to; the rest of the platform is made of it. */
export interface Connections {
  readonly config: Config;
  readonly logger: Logger;
  /** This process, for the record in the log. */
  readonly owner: string;
  /** Of account CORE. */
  readonly nats: NatsConnection;
  /** The feed has a connection of its own, so that reading a backlog delays no command. */
  readonly feedNats: NatsConnection;
  readonly log: GuardedLog;
  readonly stream: StreamWatch;
  /** The log on the feed's connection, for reading it from the beginning. */
  readonly history: JetStreamLog;
  /** One ordered consumer and one parse for all readers of the process. */
  readonly feed: SharedFeed;
  readonly database: Database;
}

const LOG_ANSWER_MS_MAX = 1_000;
const CLOSE_MS_MAX = 3_000;

/**
 * What every service needs of the world, one to a process: a service takes from it what it uses.
 * It is asked for its health, and closed behind the services.
 */
export class Platform {
  readonly config: Config;
  readonly logger: Logger;
  readonly owner: string;
  readonly nats: NatsConnection;
  readonly log: GuardedLog;
  readonly feed: SharedFeed;
  readonly database: Database;
  /** For hand-written queries; see Database for how it waits. */
  readonly pool: Pool;
  /** For projection runners, each of which keeps a connection. */
  readonly projectionPool: Pool;
  readonly store: PostgresStateStore;
  /** Calls any operation wherever it is answered. */
  readonly calls: OperationCaller;
  readonly partitions: TaskPartitions;
  readonly metrics = new Metrics();
  readonly readiness = new Readiness();
  readonly telemetry: Telemetry;
  /** Does the rebuilds of the projections that the process keeps. */
  readonly rebuilds: RebuildWatch;
  readonly #client: OperationClient;
  readonly #feedNats: NatsConnection;
  readonly #stream: StreamWatch;

  constructor(connections: Connections) {
    this.config = connections.config;
    this.logger = connections.logger;
    this.owner = connections.owner;
    this.nats = connections.nats;
    this.log = connections.log;
    this.feed = connections.feed;
    this.database = connections.database;
    this.#feedNats = connections.feedNats;
    this.#stream = connections.stream;
    this.pool = this.database.pool;
    this.projectionPool = this.database.projectionPool;
    this.store = new PostgresStateStore(this.pool);
    this.telemetry = new Telemetry(this.metrics, this.logger, operations);
    const peers = Peers.of(this.nats);
    peers.onIncompatible = (peer) => this.telemetry.incompatible(peer);
    this.readiness.add('peers', () => peers.readiness);
    this.rebuilds = new RebuildWatch({
      pool: this.pool,
      log: connections.history,
      process: this.owner,
      observer: this.telemetry.rebuilds,
    });
    this.#client = new OperationClient({ nats: this.nats, observer: this.telemetry.calls });
    const [clock, timers, ids] = [systemClock, systemTimers, systemIds];
    const asking = { operations: this.#client, clock, timers, actor: `system:${this.owner}` };
    this.partitions = new TaskPartitions(asking);
    this.calls = new PartitionedCaller({
      operations: this.#client,
      partitions: this.partitions,
      clock,
      ids,
    });
  }

  /** A new lease, one role per partition or active part; who takes it gives it up by `release`. */
  lease(role: string): Lease {
    const { replicas } = this.config.stream;
    return new KvLease({ nc: this.nats, role, holder: this.owner, replicas });
  }

  get natsConnected(): boolean {
    return [this.nats, this.#feedNats].every((nats) => NatsLink.of(nats).connected);
  }

  /** Names of the stream's settings that are not as they must be. */
  get streamDrift(): readonly string[] {
    return this.log.drift.map(({ field }) => field);
  }

  /** Resolves where a connection was closed for good, which only we should do. */
  async natsLost(): Promise<void> {
    await Promise.race([this.nats.closed(), this.#feedNats.closed()]);
  }

  /** Position of the log's last message; null where the broker can't say now. */
  async logPosition(): Promise<number | null> {
    let position: number | null = null;
    const asked = this.log.endSeq().then((seq) => void (position = seq));
    await within(
      LOG_ANSWER_MS_MAX,
      asked.catch(() => undefined),
    );
    return position;
  }

  async close(): Promise<void> {
    await within(CLOSE_MS_MAX, this.rebuilds.stop());
    this.#client.close();
    this.#stream.stop();
    await within(CLOSE_MS_MAX, this.feed.close());
    await within(
      CLOSE_MS_MAX,
      this.nats.drain().catch(() => undefined),
    );
    await Promise.allSettled([this.nats.close(), this.#feedNats.close()]);
    await within(CLOSE_MS_MAX, this.database.close());
  }
}
