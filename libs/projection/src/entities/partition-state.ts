import 'reflect-metadata';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A row of a partition's folded state; its text is what the fold's table wrote. */
abstract class PartitionStateRow {
  @PrimaryColumn('text')
  partition!: string;

  @PrimaryColumn('text')
  tab!: string;

  @PrimaryColumn('text')
  key!: string;

  @Column('json')
  data!: unknown;
}

@Entity('task_state')
export class TaskStateRow extends PartitionStateRow {}

@Entity('agent_state')
export class AgentStateRow extends PartitionStateRow {}

@Entity('router_state')
export class RouterStateRow extends PartitionStateRow {}

@Entity('access_state')
export class AccessStateRow extends PartitionStateRow {}

/** The position that a partition's stored state stands at. */
@Entity('state_checkpoints')
export class StateCheckpointRow {
  @PrimaryColumn('text')
  partition!: string;

  @Column('bigint')
  epoch!: string;

  @Column('bigint')
  seq!: string;

  @Column('bigint')
  rev!: string;

  @Column('text')
  hash!: string;

  @Column('integer')
  version!: number;
}
