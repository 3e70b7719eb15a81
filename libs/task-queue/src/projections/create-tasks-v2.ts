import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLE = `
  create table "tasks_v2" (
    "task_id" uuid not null primary key,
    "project" text not null,
    "content" json,
    "task_type" text not null,
    "status" text not null,
    "priority" text not null,
    "requirements" text[] not null,
    "dependencies" text[] not null,
    "assigned_to" text,
    "created_at" timestamp with time zone not null,
    "assigned_at" timestamp with time zone,
    "started_at" timestamp with time zone,
    "completed_at" timestamp with time zone,
    "result" json,
    "error" json,
    "success" boolean,
    "attempt" integer not null,
    "max_attempts" integer not null,
    "retry_count" integer not null,
    "execution_duration_ms" double precision,
    "estimated_duration_ms" bigint,
    "run_at" timestamp with time zone,
    "batch_id" text,
    "metadata" json,
    "reason" text,
    "dead_lettered" boolean not null,
    "progress" json,
    "auto_route" boolean not null,
    "lease" text,
    "session" bigint,
    "waits_for" text[] not null,
    "ready_reason" text,
    "cause" text,
    "updated_seq" bigint not null,
    "options" json,
    "schedule" json,
    "redriven_after" integer,
    "start_to_close_ms" bigint,
    "exclude_agents" text[] not null
  )`;

/** How many tasks there are of a kind; the queue's metrics add these up. */
const COUNTS = `
  create table "task_counts_v2" (
    "project" text not null,
    "status" text not null,
    "priority" text not null,
    "task_type" text not null,
    "retried" text not null,
    "n" bigint not null,
    primary key ("project", "status", "priority", "task_type", "retried")
  )`;

/** One for each filter of `task.query` that can be selective, in the order of its pages. */
const INDEXES = [
  `create index "tasks_v2_newest" on "tasks_v2" ("project", "created_at" desc, "task_id" desc)`,
  `create index "tasks_v2_by_status"
     on "tasks_v2" ("project", "status", "created_at" desc, "task_id" desc)`,
  `create index "tasks_v2_by_type"
     on "tasks_v2" ("project", "task_type", "created_at" desc, "task_id" desc)`,
  `create index "tasks_v2_by_agent"
     on "tasks_v2" ("project", "assigned_to", "created_at" desc, "task_id" desc)
     where "assigned_to" is not null`,
  `create index "tasks_v2_by_batch"
     on "tasks_v2" ("project", "batch_id", "created_at" desc, "task_id" desc)
     where "batch_id" is not null`,
  // The dead letters; of these there are few.
  `create index "tasks_v2_dead" on "tasks_v2" ("project", "created_at" desc, "task_id" desc)
     where "dead_lettered"`,
  // The queue's metrics read what finished last.
  `create index "tasks_v2_finished" on "tasks_v2" ("project", "completed_at" desc)
     include ("success") where "completed_at" is not null`,
];

/** Processes of the version before go on with their own table; a later migration drops it. */
export class CreateTasksV21793577600000 implements MigrationInterface {
  readonly name = 'CreateTasksV21793577600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLE);
    await runner.query(COUNTS);
    for (const index of INDEXES) await runner.query(index);
    await runner.query('create or replace view "tasks" as select * from "tasks_v2"');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view "tasks"');
    await runner.query('create view "tasks" as select * from "tasks_v1"');
    await runner.query('drop table "tasks_v2", "task_counts_v2"');
  }
}
