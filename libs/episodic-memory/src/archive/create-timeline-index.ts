import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A page of a small project must not read past everything of a large one. */
export class CreateTimelineIndex1795046400000 implements MigrationInterface {
  readonly name = 'CreateTimelineIndex1795046400000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create index "episodic_events_by_project"
        on "episodic_events" ("project", "seq", "idx")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index "episodic_events_by_project"');
  }
}
