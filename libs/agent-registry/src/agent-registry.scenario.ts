import { until } from '@athena/testing';
import { TASK_NOT_FOUND, type getTask } from '@athena/contracts';
import {
  FIRST_PREV,
  encodeCommit,
  hashOf,
  subjectOf,
  systemClock,
  type LoggedEvent,
} from '@athena/event-log';
import { JetStreamLog } from '@athena/event-log-jetstream';
import { refuse, type Input } from '@athena/operation';
import { createPool } from '@athena/projection';
import {
  OperationClient,
  PartitionEndpoint,
  readConfig,
  startService,
  type RunningService,
} from '@athena/service-kit';
import { Algorithms, decode, encodeAuthorizationResponse, encodeUser } from '@nats-io/jwt';
import { fromPublic, fromSeed } from '@nats-io/nkeys';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import {
  startNats,
  startPostgres,
  type RunningNats,
  type RunningPostgres,
} from '../../../tools/stack/servers.mjs';
import {
  AgentRegistryModule,
  agentRegistryEntities as entities,
  agentRegistryMigrations as migrations,
} from './index.js';

/** A NATS server, a Postgres, and the agent registry on both, as a process of it boots. */
export class RegistryStack {
  /** Tasks that exist, for whoever asks the owner of `task.0`. */
  readonly tasks = new Set<string>();
  server!: RunningNats;
  postgres!: RunningPostgres;
  nats!: NatsConnection;
  log!: JetStreamLog;
  pool!: Pool;
  calls!: OperationClient;
  service!: RunningService;
  #callout!: NatsConnection;
  #taskOwner!: PartitionEndpoint;
  #taskHead = { seq: 0, rev: 0, prev: FIRST_PREV };

  static async start(): Promise<RegistryStack> {
    const stack = new RegistryStack();
    [stack.server, stack.postgres] = await Promise.all([startNats(), startPostgres()]);
    await stack.#connect();
    await stack.startService();
    return stack;
  }

  /** Resolves when the service says that it is ready. */
  async startService(): Promise<void> {
    const config = readConfig({
      ...this.server.env,
      ...this.postgres.env,
      ATHENA_MANAGEMENT_PORT: '0',
      ATHENA_LOG_LEVEL: 'silent',
      ATHENA_LOG_MAX_BYTES: String(64 * 1024 ** 2),
    });
    const services = [{ module: AgentRegistryModule, entities, migrations }];
    this.service = await startService({ name: 'agent-registry', services, config });
    await until(async () => (await this.management('/healthz/ready')).ok, 'ready');
  }

  management(path: string): Promise<Response> {
    return fetch(`${this.service.managementUrl}${path}`);
  }

  async stop(): Promise<void> {
    await this.service.stop();
    await this.#taskOwner.close();
    this.calls.close();
    this.log.close();
    await Promise.all([this.nats.close(), this.#callout.close()]);
    await this.pool.end();
    await Promise.all([this.server.stop(), this.postgres.stop()]);
  }

  /** Connects as an agent; its key is not looked at. */
  agent(agentId: string): Promise<NatsConnection> {
    const inboxPrefix = `_INBOX.default.${agentId}`;
    const user = `default.${agentId}`;
    return connect({ servers: this.server.url, user, pass: 'key', inboxPrefix, reconnect: false });
  }

  /** Appends a commit of task events, as their owner would. */
  async taskCommit(...events: readonly (readonly [type: string, data: object])[]): Promise<number> {
    const { rev, prev, seq } = this.#taskHead;
    const lines = events.map(([type, data]): LoggedEvent => {
      return { type, v: 1, project: 'default', id: 'any-task', data };
    });
    const header = {
      athena: 1,
      partition: 'task.0',
      epoch: 1,
      rev: rev + 1,
      at: new Date(systemClock.now()).toISOString(),
      prev,
      count: lines.length,
    } as const;
    const payload = encodeCommit(
      header,
      lines.map((line) => JSON.stringify(line)),
    );
    const appended = await this.log.append(subjectOf('task.0'), payload, seq);
    this.#taskHead = { seq: appended, rev: rev + 1, prev: hashOf(payload) };
    return appended;
  }

  async #connect(): Promise<void> {
    const { url, core, callout } = this.server;
    this.nats = await connect({ servers: url, user: core.user, pass: core.password });
    this.#callout = await connect({ servers: url, user: callout.user, pass: callout.password });
    letAgentsIn(this.#callout, this.server.calloutSeed);
    this.log = new JetStreamLog({ nc: this.nats });
    this.calls = new OperationClient({ nats: this.nats });
    this.pool = createPool(this.postgres.url);
    this.#taskOwner = this.#ownTasks();
  }

  /** Another service: it knows whether a task exists. */
  #ownTasks(): PartitionEndpoint {
    return PartitionEndpoint.open({
      nats: this.nats,
      aggregate: 'task',
      number: 0,
      partition: {
        epoch: 1,
        submit: ({ input }, respond) => {
          const { taskId } = input as Input<typeof getTask>;
          const known = this.tasks.has(taskId);
          respond(known ? { ok: { taskId }, seq: 1 } : { refusal: refuse(TASK_NOT_FOUND, taskId) });
        },
      },
    });
  }
}

const algorithm = { algorithm: Algorithms.v2 };

/** Answers the server's question who may connect, as the gateway does for a valid key. */
function letAgentsIn(callout: NatsConnection, seed: string): void {
  const issuer = fromSeed(new TextEncoder().encode(seed));
  const answer = async (question: string): Promise<string> => {
    const { nats } = decode(question) as unknown as {
      nats: { user_nkey: string; server_id: { id: string }; connect_opts: { user: string } };
    };
    const { user: name } = nats.connect_opts;
    const [user, server] = [fromPublic(nats.user_nkey), fromPublic(nats.server_id.id)];
    const permissions = {
      pub: { allow: [`athena.v1.${name}.>`], deny: [] },
      sub: { allow: [`_INBOX.${name}.>`], deny: [] },
    };
    const jwt = await encodeUser(name, user, issuer, permissions, { ...algorithm, aud: 'AGENTS' });
    return encodeAuthorizationResponse(user, server, issuer, { jwt }, algorithm);
  };
  callout.subscribe('$SYS.REQ.USER.AUTH', {
    callback: (_error, message) =>
      void answer(message.string()).then((text) => message.respond(text)),
  });
}
