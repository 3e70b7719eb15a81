import type { LoggedEvent } from '@athena/event-log';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { defineProjection, type Projection } from './projection.js';

/** A small read model for specs: purses that are opened, filled, annotated and thrown away. */
export interface PurseRow {
  readonly purse_id: string;
  readonly project: string;
  readonly coins: number;
  readonly owners: readonly string[];
  readonly note: unknown;
  readonly opened_at: number;
  readonly updated_seq: number;
}

export const purses: Projection = defineProjection<PurseRow>({
  name: 'purses',
  version: 1,
  table: 'purses_v1',
  aggregates: ['task'],
  key: ['purse_id'],
  columns: [
    { name: 'purse_id', type: 'text' },
    { name: 'project', type: 'text' },
    { name: 'coins', type: 'int8' },
    { name: 'owners', type: 'text[]' },
    { name: 'note', type: 'json', nullable: true },
    { name: 'opened_at', type: 'timestamptz' },
    { name: 'updated_seq', type: 'int8' },
  ],
  tally: {
    table: 'purse_counts_v1',
    columns: ['project', 'wealth'],
    groupOf: ({ project, coins }) => [project, coins > 500 ? 'rich' : 'poor'],
  },
  keyOf: (event) => (event.type.startsWith('Purse') ? [event.id] : null),
  startsRow: (event) => event.type === 'PurseOpened',
  apply(row, { type, id, project, data }, { at, seq }) {
    if (type === 'PurseOpened') {
      const owners = (data as { owners?: string[] }).owners ?? [];
      return {
        purse_id: id,
        project,
        coins: 0,
        owners,
        note: null,
        opened_at: at,
        updated_seq: seq,
      };
    }
    if (!row || type === 'PurseThrownAway') return null;
    if (type === 'PurseFilled') {
      return { ...row, coins: row.coins + (data as { coins: number }).coins, updated_seq: seq };
    }
    if (type === 'PurseAnnotated') return { ...row, note: data, updated_seq: seq };
    return row;
  },
});

export class CreatePurses1793491200001 implements MigrationInterface {
  readonly name = 'CreatePurses1793491200001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table purses_v1 (
        purse_id text primary key, project text not null, coins bigint not null,
        owners text[] not null, note json, opened_at timestamptz not null,
        updated_seq bigint not null
      )`);
    await runner.query('create index purses_v1_by_project on purses_v1 (project)');
    await runner.query(`
      create table purse_counts_v1 (
        project text not null, wealth text not null, n bigint not null,
        primary key (project, wealth)
      )`);
    await runner.query('create view purses as select * from purses_v1');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view purses');
    await runner.query('drop table purses_v1, purse_counts_v1');
  }
}

const purse =
  (type: string) =>
  (id: string, data: unknown = {}): LoggedEvent => ({ type, v: 1, project: 'p', id, data });

export const opened = purse('PurseOpened');
export const filled = (id: string, coins: number): LoggedEvent =>
  purse('PurseFilled')(id, { coins });
export const annotated = purse('PurseAnnotated');
export const thrownAway = purse('PurseThrownAway');
