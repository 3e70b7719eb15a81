import { defineCommand, defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { count, instant, uuid } from '../schemas.js';
import { taskStatus } from './record.js';
import { GROWTH_UNDER_WAY, PARTITIONS_ONLY_GROW } from './refusals.js';

const number = z.int().min(1).max(limits.TASK_PARTITIONS_MAX);

/** How tasks are spread. Numbers that were in force before still say where keys may be known. */
const partitionMap = z.object({
  /** New tasks go to partitions 0 to this number. */
  partitions: number,
  /** The number under way to; null: none. */
  growingTo: number.nullable(),
  /** Earlier numbers whose idempotency keys are not forgotten yet, oldest first. */
  earlier: z.array(z.object({ partitions: number, until: instant })),
});
export type PartitionMap = z.output<typeof partitionMap>;

export const getPartitions = defineQuery({
  name: 'partitions.get',
  summary: 'Over how many partitions tasks are spread, and whether some are being added.',
  scope: 'tasks:read',
  to: { partition: 'task' },
  http: { method: 'GET', path: '/v1/partitions' },
  input: z.strictObject({}),
  output: partitionMap,
  refusals: [],
});

export const growPartitions = defineCommand({
  name: 'partitions.grow',
  summary: 'Add task partitions while everything runs; nothing that exists moves.',
  scope: 'admin',
  to: { partition: 'task' },
  http: { method: 'PUT', path: '/v1/partitions' },
  input: z.strictObject({
    /** How many there are to be; never fewer than before. */
    partitions: number,
  }),
  output: partitionMap,
  refusals: [PARTITIONS_ONLY_GROW, GROWTH_UNDER_WAY],
  idempotent: true,
});

export const adoptPartitions = defineCommand({
  name: 'partitions.adopt',
  summary: 'The first partition tells another one of the added ones (internal).',
  to: { partition: 'task' },
  input: z.object({ partition: count, partitions: number, since: count }),
  output: z.object({ partitions: number }),
  refusals: [],
  idempotent: true,
});

export const taskOutline = z.object({
  taskId: uuid,
  project: z.string(),
  status: taskStatus,
  /** Of a blocked task: the failed one at the root. */
  cause: uuid.nullable(),
});
export type TaskOutline = z.output<typeof taskOutline>;

export const outlineTasks = defineQuery({
  name: 'task.outline',
  summary: 'Status of tasks, for another partition whose tasks are to wait for them (internal).',
  to: { partition: 'task' },
  input: z.object({ partition: count, taskIds: z.array(uuid) }),
  /** Only those that there are. */
  output: z.object({ tasks: z.array(taskOutline) }),
  refusals: [],
});
