import {
  FIRST_PREV,
  MemoryLog,
  encodeCommit,
  hashOf,
  subjectOf,
  type LoggedEvent,
  type Seq,
} from '@athena/event-log';
import type { Input, Operation, Output } from '@athena/operation';
import { createDataSource, createPool, type ProjectionRunner } from '@athena/projection';
import { OperationClient } from '@athena/service-kit';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import {
  startNats,
  startPostgres,
  type RunningNats,
  type RunningPostgres,
} from '../../../tools/stack/servers.mjs';
import { EpisodicMemory, episodicMemoryEntities, episodicMemoryMigrations } from './index.js';

const PATIENCE_MS = 8_000;

export const event = (id: string, type: string, more: Partial<LoggedEvent> = {}): LoggedEvent => ({
  type,
  v: 1,
  project: 'default',
  id,
  data: {},
  ...more,
});

/** An episodic memory over a log in memory, a real broker and a real Postgres. */
export class MemoryWorld {
  readonly log = new MemoryLog();
  readonly #heads = new Map<string, { seq: Seq; rev: number; hash: string }>();
  readonly #servers: readonly [RunningPostgres, RunningNats];
  readonly #nats: NatsConnection;
  readonly #calls: OperationClient;
  readonly pool: Pool;
  readonly memory: EpisodicMemory;

  private constructor(servers: readonly [RunningPostgres, RunningNats], nats: NatsConnection) {
    this.#servers = servers;
    this.#nats = nats;
    this.#calls = new OperationClient({ nats });
    this.pool = createPool(servers[0].url);
    const { log, pool } = this;
    this.memory = new EpisodicMemory({ nats, log, feed: log, pool, projectionPool: pool });
    this.memory.start();
  }

  static async start(): Promise<MemoryWorld> {
    const servers = await Promise.all([startPostgres(), startNats()]);
    const [postgres, broker] = servers;
    const source = await createDataSource({
      url: postgres.url,
      entities: episodicMemoryEntities,
      migrations: episodicMemoryMigrations,
    });
    await source.destroy();
    const { user, password: pass } = broker.core;
    const nats = await connect({ servers: broker.url, user, pass, noAsyncTraces: true });
    return new MemoryWorld(servers, nats);
  }

  async stop(): Promise<void> {
    await this.memory.stop();
    this.#calls.close();
    await this.#nats.close();
    await this.pool.end();
    await Promise.all(this.#servers.map((server) => server.stop()));
  }

  async caughtUp(): Promise<void> {
    const archive = this.memory.projections[0] as ProjectionRunner;
    await archive.waitFor(await this.log.endSeq(), PATIENCE_MS);
  }

  /** Appends one commit to a partition, as its owner would. */
  async commit(partition: string, events: readonly LoggedEvent[], at = Date.now()): Promise<Seq> {
    const head = this.#heads.get(partition) ?? { seq: 0, rev: 0, hash: FIRST_PREV };
    const rev = head.rev + 1;
    const header = { athena: 1, partition, epoch: 1, rev, prev: head.hash } as const;
    const payload = encodeCommit(
      { ...header, at: new Date(at).toISOString(), count: events.length },
      events.map((one) => JSON.stringify(one)),
    );
    const seq = await this.log.append(subjectOf(partition), payload, head.seq);
    this.#heads.set(partition, { seq, rev, hash: hashOf(payload) });
    return seq;
  }

  async ask<T extends Operation>(
    operation: T,
    input: unknown,
    project = 'default',
  ): Promise<Output<T>> {
    const caller = { project, actor: 'key:spec', budgetMs: 6_000 } as const;
    const checked = operation.input.parse(input) as Input<T>;
    return (await this.#calls.call(operation, checked, caller)).output;
  }
}
