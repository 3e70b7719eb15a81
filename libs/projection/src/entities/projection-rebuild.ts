import 'reflect-metadata';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A process that keeps a projection, or stands by; it says so every few seconds. */
@Entity('projection_hosts')
export class ProjectionHostRow {
  @PrimaryColumn('text')
  name!: string;

  @PrimaryColumn('integer')
  version!: number;

  @PrimaryColumn('text')
  process!: string;

  @Column('text')
  service!: string;

  @Column('text')
  state!: string;

  @Column('boolean')
  rebuildable!: boolean;

  @Column('timestamp with time zone', { name: 'seen_at', default: () => 'now()' })
  seenAt!: Date;
}

/** The last rebuild or rollback that was asked for, of each projection. */
@Entity('projection_rebuilds')
export class ProjectionRebuildRow {
  @PrimaryColumn('text')
  name!: string;

  @PrimaryColumn('integer')
  version!: number;

  /** Of the command that asked. */
  @Column('text')
  id!: string;

  @Column('text')
  kind!: string;

  @Column('text')
  state!: string;

  @Column('text', { name: 'requested_by' })
  requestedBy!: string;

  /** How often a process has taken it up: one of an earlier attempt may say nothing more. */
  @Column('integer', { default: 0 })
  attempt!: number;

  @Column('bigint', { default: 0 })
  seq!: string;

  @Column('bigint', { default: 0 })
  events!: string;

  @Column('text', { nullable: true })
  error!: string | null;

  @Column('timestamp with time zone', { name: 'requested_at', default: () => 'now()' })
  requestedAt!: Date;

  @Column('timestamp with time zone', { name: 'started_at', nullable: true })
  startedAt!: Date | null;

  /** When the process that does it last said so; null: nobody does. */
  @Column('timestamp with time zone', { name: 'heard_at', nullable: true })
  heardAt!: Date | null;

  @Column('timestamp with time zone', { name: 'ended_at', nullable: true })
  endedAt!: Date | null;
}
