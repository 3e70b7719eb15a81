import {
  systemClock,
  systemIds,
  systemTimers,
  type Clock,
  type EventLog,
  type Ids,
  type Lease,
  type StateStore,
  type Timers,
} from '@athena/event-log';
import type { Operation } from '@athena/operation';
import {
  ApiEndpoint,
  PartitionHost,
  type HostedService,
  type OperationCaller,
  type PartState,
  type PartitionHostObserver,
  type EdgeObserver,
  type ServiceHandler,
  type TaskPartitions,
  createTasksHandler,
} from '@athena/service-kit';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { accessHandlers } from './access/access-handlers.js';
import { ensureBootstrapKey, parseBootstrapKey } from './access/bootstrap-key.js';
import { healthHandler } from './access/health.js';
import { KeyTable } from './access/key-table.js';
import { LocalFirstCaller } from './access/local-first-caller.js';
import { AuthCallout } from './callout/auth-callout.js';
import { accessDecider } from './domain/access.js';
import type { AccessState } from './domain/access-state.js';
import type { ApiKey } from './domain/api-key.js';
import { AccessLog, type LogSink, type CallObserver } from './http/access-log.js';
import { HttpServer, type HttpConfig } from './http/server.js';

const SERVICE = 'gateway';
/** How long a made bootstrap key may take to arrive here before the gateway is ready anyway. */
const BOOTSTRAP_MS_MAX = 10_000;

export interface GatewayConfig {
  readonly http: HttpConfig;
  /** `ak_<id>_<secret>`: issued with every scope in project `default` where it is not yet known. */
  readonly bootstrapKey?: string;
  /** How to answer who NATS clients are; absent: agents and applications can't connect. */
  readonly callout?: {
    readonly servers: string | string[];
    readonly user: string;
    readonly password: string;
    /** Seed of the account that the NATS server trusts as issuer, `SA…`. */
    readonly seed: string;
    /** How long a connection lives before it is asked about anew; default CREDENTIAL_MS. */
    readonly credentialMs?: number;
  };
}

/** Who is told what happens, for metrics and logs. */
export interface GatewayObservers {
  readonly partition?: PartitionHostObserver;
  readonly edge?: EdgeObserver;
  readonly rest?: CallObserver;
  readonly mcp?: CallObserver;
}

export interface GatewayOptions {
  readonly config: GatewayConfig;
  /** Account CORE. */
  readonly nats: NatsConnection;
  readonly log: EventLog;
  /** One feed for all readers of the process; default: the log itself. */
  readonly feed?: Pick<EventLog, 'follow'>;
  readonly store?: StateStore;
  /** Says who tries to own partition access.0. */
  readonly lease: Lease;
  /** This process, for the record in the log. */
  readonly owner: string;
  readonly caller: OperationCaller;
  readonly partitions: Pick<TaskPartitions, 'forNew' | 'byKey'>;
  readonly operations: readonly Operation[];
  readonly logger: LogSink;
  readonly observers?: GatewayObservers;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly ids?: Ids;
}

/** One gateway process: keys and projects, REST, applications over NATS, and the auth callout. */
export class Gateway implements HostedService {
  readonly name = SERVICE;
  readonly parts = [this];
  readonly #options: GatewayOptions;
  readonly #ports: { readonly clock: Clock; readonly timers: Timers; readonly ids: Ids };
  readonly #keys: KeyTable;
  readonly #access: PartitionHost<AccessState>;
  readonly #caller: LocalFirstCaller;
  readonly #bootstrapKey: ApiKey | null;
  /**
   * What this process answers itself: operations of service `gateway`, and batches of tasks, which
   * may be larger than one message to another process.
   */
  readonly handlers: readonly ServiceHandler[];
  #http: HttpServer | null = null;
  #api: ApiEndpoint | null = null;
  #calloutNats: NatsConnection | null = null;
  #bootstrapped = false;
  #stopped = false;

  constructor(options: GatewayOptions) {
    const { config, nats, log, feed = log, operations, caller, partitions } = options;
    const { clock = systemClock, timers = systemTimers, ids = systemIds } = options;
    const store = options.store && { store: options.store };
    this.#options = options;
    this.#ports = { clock, timers, ids };
    this.#bootstrapKey =
      config.bootstrapKey === undefined ? null : parseBootstrapKey(config.bootstrapKey);
    this.#keys = new KeyTable({
      ...{ log, feed, clock, timers, ...store },
      onFailure: (error) => options.logger.error({ err: error }, 'the keys are read anew'),
    });
    this.#access = this.#accessHost();
    this.handlers = [
      ...accessHandlers({ caller, keys: this.#keys, ids }),
      healthHandler({ nats, log, keys: this.#keys, operations }),
      createTasksHandler({ operations: caller, partitions, clock, ids }),
    ];
    this.#caller = new LocalFirstCaller(this.handlers, caller, { clock, ids });
  }

  /** Whether this process can serve: it knows all keys, and listens everywhere. */
  get readiness(): PartState {
    const missing = [
      this.#keys.ready ? [] : ['keys'],
      this.#bootstrapped ? [] : ['bootstrap key'],
      this.#http ? [] : ['http'],
      this.#access.readiness.ready ? [] : [`partition ${this.#access.name}`],
    ].flat();
    const ready = missing.length === 0;
    return { ready, state: ready ? 'serving' : `waits for ${missing.join(', ')}` };
  }

  /** Port of the HTTP server, once it listens. */
  get port(): number | undefined {
    return this.#http?.port;
  }

  /** Listens; resolves before the keys are known: until then requests are answered 503. */
  async start(): Promise<void> {
    this.#access.start();
    void this.#keys.start();
    void this.#bootstrap();
    await this.#openCallout();
    this.#api = this.#openApi();
    this.#http = await this.#openHttp();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([this.#http?.close(), this.#api?.close(), this.#calloutNats?.drain()]);
    await this.#keys.stop();
    await this.#access.close();
  }

  #accessHost(): PartitionHost<AccessState> {
    const { nats, log, feed, store, lease, owner, observers } = this.#options;
    const observer = observers?.partition;
    return new PartitionHost<AccessState>({
      nats,
      aggregate: 'access',
      number: 0,
      decider: accessDecider,
      log,
      lease,
      owner,
      ...(feed && { feed }),
      ...(store && { store }),
      ...(observer && { observer }),
      timers: this.#ports.timers,
    });
  }

  /** The process is not ready before the configured key opens this gateway. */
  async #bootstrap(): Promise<void> {
    const { logger, caller } = this.#options;
    const key = this.#bootstrapKey;
    try {
      if (key) await this.#ensure(key, caller);
    } catch (error) {
      logger.error({ err: error }, 'the bootstrap key could not be made');
    }
    this.#bootstrapped = true;
  }

  async #ensure(key: ApiKey, caller: OperationCaller): Promise<void> {
    const { timers } = this.#ports;
    const surroundings = { caller, timers, stopped: () => this.#stopped };
    const made = await ensureBootstrapKey(key, surroundings);
    if (!made) return;
    if (made.usable) await this.#keys.reached(made.seq, BOOTSTRAP_MS_MAX);
    else this.#options.logger.warn({ keyId: key.keyId }, UNUSABLE_BOOTSTRAP_KEY);
  }

  #openHttp(): Promise<HttpServer> {
    const { config, operations, logger, observers } = this.#options;
    const log = new AccessLog(logger, observers?.rest);
    const surface = { operations, caller: this.#caller, keys: this.#keys, log, ...this.#ports };
    const mcp = observers?.mcp;
    return HttpServer.listen({ ...surface, ...(mcp && { observeMcp: mcp }) }, config.http);
  }

  #openApi(): ApiEndpoint {
    const { nats, operations, observers } = this.#options;
    const observer = observers?.edge && { observer: observers.edge };
    return new ApiEndpoint({ nats, queue: SERVICE, operations, caller: this.#caller, ...observer });
  }

  async #openCallout(): Promise<void> {
    const { config, operations, log, caller, logger } = this.#options;
    if (!config.callout) {
      logger.warn({}, 'no NATS auth callout is configured: agents can’t connect over NATS');
      return;
    }
    const { servers, user, password: pass, seed, credentialMs } = config.callout;
    const name = 'athena gateway (auth callout)';
    const connection = { servers, user, pass, name, maxReconnectAttempts: -1, noAsyncTraces: true };
    const nats = await connect(connection);
    this.#calloutNats = nats;
    new AuthCallout({
      ...{ nats, seed, keys: this.#keys, log, caller, operations, audit: logger, ...this.#ports },
      ...(credentialMs === undefined ? {} : { credentialMs }),
    });
  }
}

const UNUSABLE_BOOTSTRAP_KEY =
  'ATHENA_BOOTSTRAP_KEY can’t be used: it was revoked, or another secret was issued for its id';
