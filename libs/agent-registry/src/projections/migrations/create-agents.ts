import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateAgents1793494800000 implements MigrationInterface {
  readonly name = 'CreateAgents1793494800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table "agents_v1" (
        "project" text collate "C" not null,
        "agent_id" text collate "C" not null,
        "kind" text not null,
        "status" text not null,
        "draining" boolean not null,
        "mode" text not null,
        "session" bigint not null,
        "capabilities" text[] not null,
        "capability_details" jsonb not null,
        "max_concurrent_tasks" integer not null,
        "metadata" jsonb,
        "registered_at" timestamp with time zone not null,
        "active_tasks" integer not null,
        primary key ("project", "agent_id")
      )`);
    await runner.query('create index "agents_v1_kind" on "agents_v1" ("project", "kind")');
    await runner.query('create view "agents" as select * from "agents_v1"');
    await runner.query(`
      create table "agent_records_v1" (
        "project" text collate "C" not null,
        "kind" text collate "C" not null,
        "completed" bigint not null,
        "failed" bigint not null,
        "avg_completion_ms" double precision,
        primary key ("project", "kind")
      )`);
    await runner.query('create view "agent_records" as select * from "agent_records_v1"');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view "agent_records"');
    await runner.query('drop table "agent_records_v1"');
    await runner.query('drop view "agents"');
    await runner.query('drop table "agents_v1"');
  }
}
