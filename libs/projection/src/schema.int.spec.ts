import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startPostgres, type RunningPostgres } from '../../../tools/stack/servers.mjs';
import type { QueryRunner } from 'typeorm';
import { createDataSource } from './data-source.js';
import { entityOf } from './entity.js';
import { CreatePurses1793491200001, purses } from './purses.scenario.js';

let postgres: RunningPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
});

const settings = () => ({
  url: postgres.url,
  entities: [entityOf(purses)],
  migrations: [CreatePurses1793491200001],
});

describe('the schema', () => {
  it('is migrated once, however many processes start at the same time', async () => {
    const sources = await Promise.all([1, 2, 3].map(() => createDataSource(settings())));
    const text = 'select name from migrations order by id';
    const ran = (await sources[0]?.query(text)) as { name: string }[];
    expect(ran.map(({ name }) => name)).toEqual([
      'CreateStateAndCheckpoints1793491200000',
      'CreatePurses1793491200001',
      'CreateProjectionRebuilds1795132800000',
    ]);
    await Promise.all(sources.map((source) => source.destroy()));
  });

  it('takes migrations of other services later, also older ones', async () => {
    class CreateOlder1700000000000 {
      readonly name = 'CreateOlder1700000000000';
      up = async (runner: QueryRunner): Promise<void> => {
        await runner.query('create table older (n int)');
      };
      down = async (runner: QueryRunner): Promise<void> => {
        await runner.query('drop table older');
      };
    }
    await (await createDataSource(settings())).destroy();
    const other = { url: postgres.url, entities: [], migrations: [CreateOlder1700000000000] };
    const source = await createDataSource(other);
    expect(await source.query('select n from older')).toEqual([]);
    await source.destroy();
  });

  it('made by the migrations is what the entities say', async () => {
    const source = await createDataSource(settings());
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    const changes = upQueries.map(({ query }) => query);
    // Indexes belong to the migrations alone.
    expect(changes.filter((query) => !query.startsWith('DROP INDEX'))).toEqual([]);
    await source.destroy();
  });

  it('waits for a Postgres that is not up, and says what to do when it stays away', async () => {
    const nowhere = { ...settings(), url: 'postgres://nobody@127.0.0.1:1/none', waitMs: 300 };
    await expect(createDataSource(nowhere)).rejects.toThrow('Check that it runs');
  });
});
