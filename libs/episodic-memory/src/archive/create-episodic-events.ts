import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateEpisodicEvents1793491200200 implements MigrationInterface {
  readonly name = 'CreateEpisodicEvents1793491200200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table "episodic_events" (
        "seq" bigint not null,
        "idx" integer not null,
        "version" integer not null,
        "rev" bigint not null,
        "epoch" bigint not null,
        "at" timestamp with time zone not null,
        "hash" bytea not null,
        "project" text not null,
        "aggregate" text not null,
        "aggregate_id" text not null,
        "type" text not null,
        "actor" text,
        "command" text,
        "correlation" text,
        "partition" text not null,
        "event" json not null,
        primary key ("seq", "idx")
      )`);
    await runner.query(`
      create index "episodic_events_by_aggregate"
        on "episodic_events" ("project", "aggregate_id", "seq", "idx")`);
    // Rows lie in the order of time, so that a few bytes per block range find any of it.
    await runner.query(`
      create index "episodic_events_by_time" on "episodic_events"
        using brin ("at") with (autosummarize = on)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table "episodic_events"');
  }
}
