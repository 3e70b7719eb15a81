import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLE = `
  create table "bulk_jobs" (
    "bulk_id" uuid not null primary key,
    "project" text not null,
    "idempotency_key" text,
    "action" text not null,
    "priority" text,
    "by" text not null,
    "state" text not null,
    "task_ids" uuid[] not null,
    "matched" integer not null,
    "done" integer not null default 0,
    "changed" integer not null default 0,
    "refused" json not null default '{}',
    "error" text,
    "started_at" timestamp with time zone not null default now(),
    "looked_at" timestamp with time zone not null default now(),
    "ended_at" timestamp with time zone
  )`;

const INDEXES = [
  `create unique index "bulk_jobs_by_key" on "bulk_jobs" ("project", "idempotency_key")
     where "idempotency_key" is not null`,
  `create index "bulk_jobs_running" on "bulk_jobs" ("looked_at") where "state" = 'running'`,
];

export class CreateBulkJobs1795219200000 implements MigrationInterface {
  readonly name = 'CreateBulkJobs1795219200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLE);
    for (const index of INDEXES) await runner.query(index);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table "bulk_jobs"');
  }
}
