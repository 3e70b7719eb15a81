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

/**
 * The words of a task: its content's values and its error's message, lower-case runs of letters and
 * digits. Of JSON's text the escapes go (NUL and lone surrogates would be refused), then the names
 * of fields, then all punctuation, so that a file's name is found inside its path. Words of long
 * contents end at a bound (SEARCHED_CONTENT_LENGTH): every write of a row computes them.
 */
const WORDS = `
  create function "task_words_v2" ("content" json, "error" json) returns tsvector
  language sql immutable parallel safe as $$
    select to_tsvector('simple'::regconfig, translate(
      regexp_replace(
        regexp_replace(
          coalesce(left("content"::text, 4096), '') || ' ' ||
            coalesce(substring("error"::text from '"message":("(?:[^"\\\\]|\\\\.)*")'), ''),
          '\\\\(u[0-9a-f]{4}|.)', ' ', 'g'),
        '"[^"]*":', ' ', 'g'),
      $q$!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~$q$, repeat(' ', 32)))
  $$`;

/**
 * What a task's metadata says at its top, each as `key=value`. jsonb knows no NUL and no lone
 * surrogates. Each is one lexeme; what is longer than a search may ask for
 * (METADATA_FILTER_LENGTH_MAX) stays out, for an index has its limits too.
 */
const FACTS = `
  create function "task_facts_v2" ("metadata" json) returns tsvector
  language sql immutable parallel safe as $$
    select array_to_tsvector(array_agg(fact)) from (
      select key || '=' || coalesce(value #>> '{}', 'null') as fact
      from jsonb_each(regexp_replace(
        "metadata"::text,
        '(?<!\\\\)((?:\\\\\\\\)*)\\\\(?:u0000|ud[89a-f][0-9a-f]{2})', '\\1\\\\ufffd', 'g')::jsonb)
      where jsonb_typeof(value) not in ('object', 'array')
    ) as facts
    where length(fact) <= 400
  $$`;

/** Tasks of one status and priority lie together, in the order of pages. */
const LANE = '"status", "priority", "created_at" desc, "task_id" desc';

/** What `task.query` and the queue's metrics read by; libs/task-queue/src/queries/search.ts. */
const INDEXES = [
  `create index "tasks_v2_newest" on "tasks_v2" ("project", "created_at" desc, "task_id" desc)`,
  `create index "tasks_v2_by_status" on "tasks_v2" ("project", ${LANE})`,
  `create index "tasks_v2_by_type" on "tasks_v2" ("project", "task_type", ${LANE})`,
  `create index "tasks_v2_by_agent" on "tasks_v2" ("project", "assigned_to", ${LANE})
     where "assigned_to" is not null`,
  `create index "tasks_v2_by_batch"
     on "tasks_v2" ("project", "batch_id", "created_at" desc, "task_id" desc)
     where "batch_id" is not null`,
  // The dead letters; of these there are few.
  `create index "tasks_v2_dead" on "tasks_v2" ("project", "created_at" desc, "task_id" desc)
     where "dead_lettered"`,
  `create index "tasks_v2_finished"
     on "tasks_v2" ("project", "status", "completed_at" desc, "task_id" desc)
     where "completed_at" is not null`,
  `create index "tasks_v2_words" on "tasks_v2" using gin ("task_words_v2"("content", "error"))`,
  // Not partial: what Postgres knows of a partial index's expression, it does not estimate by.
  `create index "tasks_v2_facts" on "tasks_v2" using gin ("task_facts_v2"("metadata"))`,
];

/** Processes of the version before go on with their own table; a later migration drops it. */
export class CreateTasksV21793577600000 implements MigrationInterface {
  readonly name = 'CreateTasksV21793577600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(TABLE);
    await runner.query(COUNTS);
    await runner.query(WORDS);
    await runner.query(FACTS);
    for (const index of INDEXES) await runner.query(index);
    await runner.query('create or replace view "tasks" as select * from "tasks_v2"');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop view "tasks"');
    await runner.query('create view "tasks" as select * from "tasks_v1"');
    await runner.query('drop table "tasks_v2", "task_counts_v2"');
    await runner.query('drop function "task_words_v2", "task_facts_v2"');
  }
}
