import type { MigrationInterface, QueryRunner } from 'typeorm';
import { STATE_TABLES } from '../state-tables.js';

const stateTable = (name: string): string => `
  create table "${name}" (
    "partition" text not null,
    "tab" text not null,
    "key" text not null,
    "data" json not null,
    primary key ("partition", "tab", "key")
  )`;

export class CreateStateAndCheckpoints1793491200000 implements MigrationInterface {
  readonly name = 'CreateStateAndCheckpoints1793491200000';

  async up(runner: QueryRunner): Promise<void> {
    for (const table of Object.values(STATE_TABLES)) await runner.query(stateTable(table));
    await runner.query(`
      create table "state_checkpoints" (
        "partition" text not null primary key,
        "epoch" bigint not null,
        "seq" bigint not null,
        "rev" bigint not null,
        "hash" text not null,
        "version" integer not null
      )`);
    await runner.query(`
      create table "projection_checkpoints" (
        "name" text not null,
        "version" integer not null,
        "slot" text not null,
        "epoch" bigint not null,
        "seq" bigint not null,
        "heads" json not null,
        "updated_at" timestamp with time zone not null default now(),
        primary key ("name", "version", "slot")
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table "projection_checkpoints"');
    await runner.query('drop table "state_checkpoints"');
    for (const table of Object.values(STATE_TABLES)) await runner.query(`drop table "${table}"`);
  }
}
