import type { MigrationInterface, QueryRunner } from 'typeorm';

const OUTCOMES = `
  create table "attempt_outcomes_v1" (
    "task_id" uuid not null primary key,
    "project" text not null,
    "task_type" text not null,
    "requirements" text[] not null,
    "state" text not null,
    "waits_for" text[] not null,
    "routed" boolean not null,
    "ready_at" timestamp with time zone not null,
    "kind" text,
    "wait_ms" double precision not null,
    "outcomes" jsonb not null,
    "last_at" timestamp with time zone,
    "last_seq" bigint
  )`;
const FLEET = `
  create table "fleet_activity_v1" (
    "project" text not null,
    "agent_id" text not null,
    "kind" text not null,
    "online" boolean not null,
    "draining" boolean not null,
    "capabilities" text[] not null,
    "active_tasks" integer not null,
    "active_at" timestamp with time zone not null,
    primary key ("project", "agent_id")
  )`;
const RUNS = `
  create table "consolidations" (
    "consolidation_id" uuid not null primary key,
    "project" text not null,
    "at" timestamp with time zone not null,
    "to_seq" bigint not null,
    "events" integer not null,
    "report" jsonb not null
  )`;
const INDEXES = [
  `create index "attempt_outcomes_v1_last"
     on "attempt_outcomes_v1" ("project", "last_at" desc, "last_seq" desc)
     where "last_at" is not null`,
  `create index "attempt_outcomes_v1_open" on "attempt_outcomes_v1" ("project", "ready_at")
     where "state" = 'open'`,
  `create index "consolidations_last" on "consolidations" ("project", "to_seq" desc)`,
];

export class CreateConsolidationV11793491200500 implements MigrationInterface {
  readonly name = 'CreateConsolidationV11793491200500';

  async up(runner: QueryRunner): Promise<void> {
    for (const text of [OUTCOMES, FLEET, RUNS, ...INDEXES]) await runner.query(text);
    for (const name of ['attempt_outcomes', 'fleet_activity']) {
      await runner.query(`create view "${name}" as select * from "${name}_v1"`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view "attempt_outcomes", "fleet_activity"');
    await runner.query('drop table "attempt_outcomes_v1", "fleet_activity_v1", "consolidations"');
  }
}
