import type { StateChange, StateRow } from '@athena/event-log';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { startPostgres, type RunningPostgres } from '../../../tools/stack/servers.mjs';
import { createDataSource } from './data-source.js';
import { createPool } from './pool.js';
import { STATE_ROWS_PER_STATEMENT_MAX, PostgresStateStore } from './state-store.js';

let postgres: RunningPostgres;
let pool: Pool;
let store: PostgresStateStore;

beforeAll(async () => {
  postgres = await startPostgres();
  const dataSource = await createDataSource({ url: postgres.url, entities: [], migrations: [] });
  await dataSource.destroy();
  pool = createPool(postgres.url);
  store = new PostgresStateStore(pool);
});
afterAll(async () => {
  await pool?.end();
  await postgres?.stop();
});
beforeEach(async () => {
  await pool.query('truncate state_checkpoints, task_state, agent_state');
});

const row = (key: string, value: unknown, table = 'task'): StateRow => ({
  table,
  key,
  json: JSON.stringify(value),
});

const change = (
  epoch: number,
  seq: number,
  rest: Partial<Pick<StateChange, 'upserts' | 'deletes' | 'whole'>> = {},
): StateChange => ({
  checkpoint: { epoch, seq, rev: seq, hash: `hash-${epoch}-${seq}`, version: 1 },
  whole: false,
  upserts: [],
  deletes: [],
  ...rest,
});

const stored = async (name: string): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    ((await store.load(name))?.rows ?? []).map(({ table, key, json }) => [
      `${table}/${key}`,
      JSON.parse(json),
    ]),
  );

describe('the state store', () => {
  it('has nothing for a partition that never saved', async () => {
    expect(await store.load('task.0')).toBeNull();
  });

  it('gives back what was saved: rows as their text, and the checkpoint', async () => {
    const upserts = [row('a', { n: 1 }), row('b', 'x'), row('a', [2], 'key')];
    expect(await store.save('task.0', change(1, 7, { upserts }))).toBe(true);
    const loaded = await store.load('task.0');
    expect(loaded?.checkpoint).toEqual({ epoch: 1, seq: 7, rev: 7, hash: 'hash-1-7', version: 1 });
    expect(loaded?.rows).toHaveLength(3);
    expect(loaded?.rows).toEqual(expect.arrayContaining(upserts));
  });

  it('changes and removes rows, of the named table only', async () => {
    const upserts = [row('a', 1), row('b', 1), row('a', 1, 'key')];
    await store.save('task.0', change(1, 1, { upserts }));
    const deletes = [{ table: 'task', key: 'a' }];
    await store.save('task.0', change(1, 2, { upserts: [row('b', 2)], deletes }));
    expect(await stored('task.0')).toEqual({ 'task/b': 2, 'key/a': 1 });
  });

  it('keeps partitions apart', async () => {
    await store.save('task.0', change(1, 1, { upserts: [row('a', 0)] }));
    await store.save('task.1', change(1, 2, { upserts: [row('a', 1)] }));
    await store.save('agent.0', change(1, 3, { upserts: [row('a', 2)] }));
    expect(await stored('task.0')).toEqual({ 'task/a': 0 });
    expect(await stored('task.1')).toEqual({ 'task/a': 1 });
    expect(await stored('agent.0')).toEqual({ 'task/a': 2 });
  });

  it.each([
    ['of an older epoch', change(1, 99)],
    ['of an older position', change(2, 9)],
    ['of an older epoch, even a whole one', change(1, 99, { whole: true })],
  ])('refuses a checkpoint %s, and nothing of it is written', async (_, older) => {
    await store.save('task.0', change(2, 10, { upserts: [row('a', 'stands')] }));
    const upserts = [row('a', 'older'), row('b', 'older')];
    expect(await store.save('task.0', { ...older, upserts })).toBe(false);
    expect(await stored('task.0')).toEqual({ 'task/a': 'stands' });
    expect((await store.load('task.0'))?.checkpoint.seq).toBe(10);
  });

  it('replaces everything by a whole state, also at an earlier position of its epoch', async () => {
    await store.save('task.0', change(2, 10, { upserts: [row('lost', 1), row('a', 1)] }));
    const whole = change(2, 8, { whole: true, upserts: [row('a', 2)] });
    expect(await store.save('task.0', whole)).toBe(true);
    expect(await stored('task.0')).toEqual({ 'task/a': 2 });
  });

  it('holds any JSON text and any key that a fold can have', async () => {
    const value = { quote: '"\\', nul: '\u0000', lone: '\ud800', emoji: '🦉', deep: [[null]] };
    const key = 'a"b\\c,{d}\n🦉';
    await store.save('task.0', change(1, 1, { upserts: [row(key, value)] }));
    expect(await stored('task.0')).toEqual({ [`task/${key}`]: value });
    await store.save('task.0', change(1, 2, { deletes: [{ table: 'task', key }] }));
    expect(await stored('task.0')).toEqual({});
  });

  it('refuses a key that would not come back as it was', async () => {
    const save = store.save('task.0', change(1, 1, { upserts: [row('a\0b', 1)] }));
    await expect(save).rejects.toThrow('NUL');
    expect(await store.load('task.0')).toBeNull();
  });

  it('writes more rows than one statement takes', async () => {
    const upserts = Array.from({ length: STATE_ROWS_PER_STATEMENT_MAX + 1 }, (_, n) =>
      row(`k${n}`, n),
    );
    await store.save('task.0', change(1, 1, { upserts }));
    expect((await store.load('task.0'))?.rows).toHaveLength(STATE_ROWS_PER_STATEMENT_MAX + 1);
  });

  it.each(['tasks; drop table task_state', 'toString.0', 'workflow.0', 'task'])(
    'knows no table for %j',
    async (name) => {
      await expect(async () => store.load(name)).rejects.toThrow('no table holds the state');
    },
  );
});
