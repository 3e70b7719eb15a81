import { createDataSource, createPool, type DataSourceSettings } from '@athena/projection';
import type { Pool, PoolClient } from 'pg';
import type { Logger } from 'pino';
import { untilDone } from './backoff.js';

/** How long a query waits for a Postgres that has not been reached yet. */
const FIRST_CONTACT_MS_MAX = 3_000;
const ATTEMPT_MS = 500;

type DataSource = Awaited<ReturnType<typeof createDataSource>>;
export type Schema = Pick<DataSourceSettings, 'entities' | 'migrations'>;

/**
 * Postgres, connected in the background: the process starts without it and writes go on while it
 * is away. Both pools let nobody through before the schema is up to date.
 */
export class Database {
  readonly pool: Pool;
  readonly projectionPool: Pool;
  /** TypeORM, once Postgres was reached and the migrations have run. */
  readonly dataSource: Promise<DataSource>;
  #migrated = false;
  #closed = false;
  #resolve: (dataSource: DataSource) => void = () => undefined;

  constructor(url: string, schema: Schema, logger: Logger) {
    this.dataSource = new Promise((resolve) => (this.#resolve = resolve));
    this.pool = this.#gated(createPool(url));
    this.projectionPool = this.#gated(createPool(url));
    void this.#connect({ url, ...schema, waitMs: ATTEMPT_MS }, logger);
  }

  /** Postgres was reached once and has our schema. It may have gone since. */
  get migrated(): boolean {
    return this.#migrated;
  }

  /** @throws where Postgres can't be reached now */
  async ping(): Promise<void> {
    if (!this.#migrated) throw new Error('Postgres was not reached yet');
    await this.pool.query('select 1');
  }

  async close(): Promise<void> {
    this.#closed = true;
    const ends = [this.pool.end(), this.projectionPool.end()];
    if (this.#migrated) ends.push((await this.dataSource).destroy());
    await Promise.allSettled(ends);
  }

  async #connect(settings: DataSourceSettings, logger: Logger): Promise<void> {
    const dataSource = await untilDone(() => createDataSource(settings), {
      stopped: () => this.#closed,
      onFailure: ({ message }, retryInMs) =>
        logger.warn({ reason: message, retryInMs }, 'waiting for Postgres: is it running?'),
    });
    if (!dataSource) return;
    if (this.#closed) return void (await dataSource.destroy().catch(() => undefined));
    this.#migrated = true;
    this.#resolve(dataSource);
    logger.info('Postgres is connected and its schema is up to date');
  }

  /** Every query of a pool goes through its `connect`, which has a callback form and a promise. */
  #gated(pool: Pool): Pool {
    const connect = pool.connect.bind(pool) as (callback?: Connected) => Promise<PoolClient>;
    const gated = (callback?: Connected): Promise<PoolClient> | void => {
      if (this.#migrated) return connect(callback);
      const opened = this.#untilMigrated();
      if (!callback) return opened.then(() => connect());
      opened.then(
        () => void connect(callback),
        (error: Error) => callback(error, undefined, () => undefined),
      );
    };
    return Object.assign(pool, { connect: gated });
  }

  async #untilMigrated(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<never>((_resolve, reject) => {
      const error = new Error('can’t connect: Postgres was not reached yet');
      timer = setTimeout(() => reject(error), FIRST_CONTACT_MS_MAX);
    });
    await Promise.race([this.dataSource, tooLong]).finally(() => clearTimeout(timer));
  }
}

type Connected = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: () => void,
) => void;
