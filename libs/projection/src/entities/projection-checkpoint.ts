import 'reflect-metadata';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Heads } from '../chain.js';

/** Where a projection stands; written in the same transaction as its rows. */
@Entity('projection_checkpoints')
export class ProjectionCheckpointRow {
  @PrimaryColumn('text')
  name!: string;

  @PrimaryColumn('integer')
  version!: number;

  @PrimaryColumn('text')
  slot!: string;

  @Column('bigint')
  epoch!: string;

  @Column('bigint')
  seq!: string;

  @Column('json')
  heads!: Heads;

  @Column('timestamp with time zone', { name: 'updated_at', default: () => 'now()' })
  updatedAt!: Date;
}
