import { setTimeout as delay } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import {
  AccessStateRow,
  AgentStateRow,
  RouterStateRow,
  StateCheckpointRow,
  TaskStateRow,
} from './entities/partition-state.js';
import { ProjectionCheckpointRow } from './entities/projection-checkpoint.js';
import { ProjectionHostRow, ProjectionRebuildRow } from './entities/projection-rebuild.js';
import { isPassing } from './failures.js';
import { CreateProjectionRebuilds1795132800000 } from './migrations/create-rebuilds.js';
import { CreateStateAndCheckpoints1793491200000 } from './migrations/create-states.js';
import { SteadyClient } from './steady-client.js';

/** Any number of its own; the same for every process, so that they migrate one after the other. */
const MIGRATION_LOCK = 7_283_446_112;
const RETRY_MS = 250;
export const POSTGRES_WAIT_MS_DEFAULT = 30_000;

type Entities = NonNullable<Extract<DataSourceOptions['entities'], readonly unknown[]>>;
type Migrations = NonNullable<Extract<DataSourceOptions['migrations'], readonly unknown[]>>;

export interface DataSourceSettings {
  readonly url: string;
  /** Besides those of the checkpoints and states. */
  readonly entities: Entities;
  readonly migrations: Migrations;
  /** How long to wait for a Postgres that is not up yet. */
  readonly waitMs?: number;
}

/**
 * Connects TypeORM to Postgres and brings the schema up to date: whichever process comes first
 * runs the migrations, the others wait for it.
 */
export async function createDataSource(settings: DataSourceSettings): Promise<DataSource> {
  const until = Date.now() + (settings.waitMs ?? POSTGRES_WAIT_MS_DEFAULT);
  for (;;) {
    const dataSource = new DataSource(optionsOf(settings));
    try {
      await dataSource.initialize();
      await migrate(dataSource);
      return dataSource;
    } catch (error) {
      if (dataSource.isInitialized) await dataSource.destroy().catch(() => undefined);
      if (!isPassing(driverError(error)) || Date.now() >= until) throw explained(error);
      await delay(RETRY_MS);
    }
  }
}

const optionsOf = ({ url, entities, migrations }: DataSourceSettings): DataSourceOptions => ({
  type: 'postgres',
  url,
  applicationName: 'athena-migrations',
  entities: [
    TaskStateRow,
    AgentStateRow,
    RouterStateRow,
    AccessStateRow,
    StateCheckpointRow,
    ProjectionCheckpointRow,
    ProjectionHostRow,
    ProjectionRebuildRow,
    ...entities,
  ],
  migrations: [
    CreateStateAndCheckpoints1793491200000,
    CreateProjectionRebuilds1795132800000,
    ...migrations,
  ],
  migrationsTableName: 'migrations',
  migrationsTransactionMode: 'each',
  synchronize: false,
  installExtensions: false,
  logging: false,
  parseInt8: false,
  poolErrorHandler: () => undefined,
  extra: { Client: SteadyClient },
});

async function migrate(dataSource: DataSource): Promise<void> {
  const holder = dataSource.createQueryRunner();
  try {
    await holder.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    try {
      await dataSource.runMigrations();
    } finally {
      await holder.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await holder.release();
  }
}

/** TypeORM wraps pg's errors. */
const driverError = (error: unknown): unknown =>
  (error as { driverError?: unknown } | null)?.driverError ?? error;

const explained = (error: unknown): Error =>
  new Error(
    `Postgres can't be used: ${error instanceof Error ? error.message : String(error)}. ` +
      'Check that it runs and that DATABASE_URL names it.',
    { cause: error },
  );
