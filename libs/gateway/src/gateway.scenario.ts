import { until } from '@athena/testing';
import { operations } from '@athena/contracts';
import { MemoryLog, systemClock, type Clock } from '@athena/event-log';
import { Refused, type WireAnswer, type WireCommand, type WireRequest } from '@athena/operation';
import { ONE_PARTITION, OperationClient } from '@athena/service-kit';
import { connect, type Msg, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { startNats, type RunningNats } from '../../../tools/stack/servers.mjs';
import { Gateway, type GatewayConfig, type GatewayObservers } from './gateway.js';
import { formatApiKey } from './domain/api-key.js';

export const ROOT_KEY = formatApiKey({ keyId: 'root12345678', secret: 'r'.repeat(32) });

type Answer = (command: WireCommand) => unknown;

/** The other services, as far as a spec needs them: notes every command, answers from a table. */
export class Services {
  readonly commands: WireCommand[] = [];
  readonly #subscriptions: Subscription[];
  readonly #silent = new Set<string>();
  #answers = new Map<string, Answer>();
  #seq = 100;

  constructor(nats: NatsConnection) {
    const subjects = ['athena.cmd.task.0', 'athena.cmd.agent.0', 'athena.svc.>'];
    this.#subscriptions = subjects.map((subject) =>
      nats.subscribe(subject, { callback: (_error, message) => this.#serve(message) }),
    );
  }

  /** From now on the operation is answered so; a Refused that is thrown is a refusal. */
  on(operation: string, answer: Answer): void {
    this.#answers.set(operation, answer);
  }

  /** From now on the operation is left unanswered. */
  silent(operation: string): void {
    this.#silent.add(operation);
  }

  reset(): void {
    this.commands.length = 0;
    this.#silent.clear();
    this.#answers = new Map();
    this.on('agent.bind', ({ input }) => input);
  }

  /** What came in for an operation, in order. */
  sent(operation: string): WireCommand[] {
    return this.commands.filter(({ op }) => op === operation);
  }

  close(): void {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #serve(message: Msg): void {
    const { items } = message.json<WireRequest>();
    const answers = items.map((command) => this.#answer(command));
    if (items.some(({ op }) => this.#silent.has(op))) return;
    message.respond(JSON.stringify({ items: answers }));
  }

  #answer(command: WireCommand): WireAnswer {
    this.commands.push(command);
    try {
      const ok = this.#answers.get(command.op)?.(command) ?? {};
      return { ok, seq: ++this.#seq };
    } catch (error) {
      if (error instanceof Refused) return { refusal: error.refusal };
      throw error;
    }
  }
}

/** A line of the gateway's log. */
export interface LogLine extends Record<string, unknown> {
  readonly level: string;
  readonly message: string;
}

const lease = { onChange: () => undefined, release: async () => undefined };

/** A NATS server and what was started against it. */
export class GatewayWorld {
  readonly nats: RunningNats;
  readonly core: NatsConnection;
  readonly services: Services;
  readonly log: MemoryLog;
  readonly lines: LogLine[] = [];
  readonly #client: OperationClient;
  readonly #gateways: Gateway[] = [];

  private constructor(nats: RunningNats, core: NatsConnection) {
    this.nats = nats;
    this.core = core;
    this.services = new Services(core);
    this.services.reset();
    this.log = new MemoryLog();
    this.#client = new OperationClient({ nats: core });
  }

  static async start(): Promise<GatewayWorld> {
    const nats = await startNats();
    const { user, password: pass } = nats.core;
    return new GatewayWorld(nats, await connect({ servers: nats.url, user, pass }));
  }

  /** The first one owns the access partition, further ones stand by. */
  async gateway(
    config: Partial<GatewayConfig> = {},
    clock: Clock = systemClock,
    observers: GatewayObservers = {},
  ): Promise<Gateway> {
    const { nats, core, log } = this;
    const gateway = new Gateway({
      config: {
        http: { host: '127.0.0.1', port: 0 },
        bootstrapKey: ROOT_KEY,
        callout: { servers: nats.url, ...nats.callout, seed: nats.calloutSeed },
        ...config,
      },
      nats: core,
      log,
      lease: { ...lease, held: this.#gateways.length === 0 },
      owner: 'spec',
      caller: this.#client,
      partitions: ONE_PARTITION,
      operations,
      logger: this.#logger(),
      clock,
      observers,
    });
    this.#gateways.push(gateway);
    await gateway.start();
    await until(
      () => gateway.readiness.ready,
      () => `ready: ${gateway.readiness.state}`,
    );
    return gateway;
  }

  async stop(): Promise<void> {
    for (const gateway of this.#gateways) await gateway.stop();
    this.#client.close();
    this.services.close();
    await this.core.close();
    await this.nats.stop();
  }

  #logger() {
    const at = (level: string) => (fields: object, message: string) =>
      void this.lines.push({ ...fields, level, message });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

/** What a request was answered. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { code?: string };
}

export type Ask = (
  method: string,
  path: string,
  options?: { body?: unknown; key?: string | null; headers?: Record<string, string> },
) => Promise<Answered>;

/** Asks a gateway over HTTP; with the bootstrap key unless another one (or none) is given. */
export const askAt =
  (gateway: Gateway): Ask =>
  async (method, path, { body, key = ROOT_KEY, headers = {} } = {}) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const response = await fetch(`http://127.0.0.1:${gateway.port}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: json && text ? JSON.parse(text) : { text },
    };
  };
