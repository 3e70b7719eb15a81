import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateProjectionRebuilds1795132800000 implements MigrationInterface {
  readonly name = 'CreateProjectionRebuilds1795132800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table "projection_hosts" (
        "name" text not null,
        "version" integer not null,
        "process" text not null,
        "service" text not null,
        "state" text not null,
        "rebuildable" boolean not null,
        "seen_at" timestamp with time zone not null default now(),
        primary key ("name", "version", "process")
      )`);
    await runner.query(`
      create table "projection_rebuilds" (
        "name" text not null,
        "version" integer not null,
        "id" text not null,
        "kind" text not null,
        "state" text not null,
        "requested_by" text not null,
        "attempt" integer not null default 0,
        "seq" bigint not null default 0,
        "events" bigint not null default 0,
        "error" text,
        "requested_at" timestamp with time zone not null default now(),
        "started_at" timestamp with time zone,
        "heard_at" timestamp with time zone,
        "ended_at" timestamp with time zone,
        primary key ("name", "version")
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table "projection_rebuilds", "projection_hosts"');
  }
}
