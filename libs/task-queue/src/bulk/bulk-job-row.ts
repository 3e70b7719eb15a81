import 'reflect-metadata';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A bulk operation; a few lines of SQL take it from its first task to its last. */
@Entity('bulk_jobs')
export class BulkJobRow {
  /** The command's that asked. */
  @PrimaryColumn('uuid', { name: 'bulk_id' })
  bulkId!: string;

  @Column('text')
  project!: string;

  @Column('text', { name: 'idempotency_key', nullable: true })
  idempotencyKey!: string | null;

  @Column('text')
  action!: string;

  @Column('text', { nullable: true })
  priority!: string | null;

  @Column('text')
  by!: string;

  @Column('text')
  state!: string;

  /** Those that matched when it was asked for; emptied when it has ended. */
  @Column('uuid', { name: 'task_ids', array: true })
  taskIds!: string[];

  @Column('integer')
  matched!: number;

  /** So many of `task_ids`, from the first on, are done. */
  @Column('integer', { default: 0 })
  done!: number;

  @Column('integer', { default: 0 })
  changed!: number;

  /** Code → how many. */
  @Column('json', { default: () => `'{}'` })
  refused!: Record<string, number>;

  @Column('text', { nullable: true })
  error!: string | null;

  @Column('timestamp with time zone', { name: 'started_at', default: () => 'now()' })
  startedAt!: Date;

  /** When some of it was last done: the jobs take turns. */
  @Column('timestamp with time zone', { name: 'looked_at', default: () => 'now()' })
  lookedAt!: Date;

  @Column('timestamp with time zone', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
