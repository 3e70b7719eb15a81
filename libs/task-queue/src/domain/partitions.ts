import {
  GROWTH_UNDER_WAY,
  KEY_ELSEWHERE,
  PARTITIONS_ONLY_GROW,
  limits,
  type PartitionMap,
  type TaskEvent,
} from '@athena/contracts';
import type { Command, Decision } from '@athena/event-log';
import { partitionOfKey, type NewEvent, type Refusal } from '@athena/operation';
import { decided, refused, unchanged } from './decisions.js';
import { editRow, rowOf, type PartitionRow, type TaskState } from './state.js';

/*
 * Partitions are added in three steps, so that an idempotency key is never taken in two places.
 * The first partition records the growth; then every partition, told by it, adopts the number and
 * takes no more keys that are another's; then the first one activates it for those who create.
 */

/** The first partition; it keeps the map. */
export const HOME = 0;

type Of<T extends TaskEvent['type']> = Extract<TaskEvent, { type: T }>;
type Growth = Of<'PartitionsGrown'> | Of<'PartitionsAdopted'> | Of<'PartitionsActivated'>;

/** Partitions that have to be hosted, as far as this one knows. */
export const hostedOf = (state: TaskState): number => {
  const { partitions, map } = rowOf(state);
  return Math.max(partitions, map?.growingTo ?? map?.partitions ?? 1);
};

/** The number that is under way, for whoever has to bring it to an end. */
export const growingTo = (state: TaskState): number | null => rowOf(state).map?.growingTo ?? null;

const mapOf = ({ map }: PartitionRow): PartitionMap => ({
  partitions: map?.partitions ?? 1,
  growingTo: map?.growingTo ?? null,
  earlier: (map?.earlier ?? []).map(({ partitions, until }) => ({
    partitions,
    until: new Date(until).toISOString(),
  })),
});

/** partitions.get */
export const getMap = (state: TaskState): Decision => unchanged(mapOf(rowOf(state)));

/** partitions.grow */
export function grow(state: TaskState, { input }: Command): Decision {
  const { partitions } = input as { partitions: number };
  const map = mapOf(rowOf(state));
  const target = map.growingTo ?? map.partitions;
  if (partitions === target) return unchanged(map);
  if (partitions < target)
    return refused(PARTITIONS_ONLY_GROW, `there are ${target}`, 'partitions');
  if (map.growingTo !== null) return refused(GROWTH_UNDER_WAY, `growing to ${target}`);
  return decided([own(state, 'PartitionsGrown', { partitions })], {
    ...map,
    growingTo: partitions,
  });
}

/** partitions.adopt */
export function adopt(state: TaskState, { input }: Command): Decision {
  const { partitions, since } = input as { partitions: number; since: number };
  const row = rowOf(state);
  if (row.partitions >= partitions) return unchanged({ partitions: row.partitions });
  return decided([own(state, 'PartitionsAdopted', { partitions, since })], { partitions });
}

/** partitions.activate, of the first partition's own: every partition has adopted the number. */
export function activate(state: TaskState): Decision {
  const partitions = growingTo(state);
  if (partitions === null) return unchanged(null);
  return decided([own(state, 'PartitionsActivated', { partitions })], null);
}

/** Null: creates with this key are for this partition. A batch's items share the batch's key. */
export function keyElsewhere(state: TaskState, project: string, key: string): Refusal | null {
  const { partitions } = rowOf(state);
  const shared = key.split('#', 1)[0] as string;
  const partition = partitions === 1 ? HOME : partitionOfKey(project, shared, partitions);
  if (partition === state.partition) return null;
  return refused(KEY_ELSEWHERE, `the key ${shared} belongs to task.${partition}`).refusal;
}

export function evolveGrowth(state: TaskState, { type, data }: Growth, at: number): void {
  const row = editRow(state);
  const map = row.map ?? { partitions: 1, growingTo: null, earlier: [] };
  if (type === 'PartitionsGrown') {
    row.map = { ...map, growingTo: data.partitions };
  } else if (type === 'PartitionsAdopted') {
    row.partitions = data.partitions;
    row.followed ??= data.since;
  } else {
    const until = at + limits.IDEMPOTENCY_WINDOW_MS;
    const earlier = [...map.earlier, { partitions: map.partitions, until }];
    row.map = {
      partitions: data.partitions,
      growingTo: null,
      earlier: earlier.filter((one) => one.until > at),
    };
  }
}

const own = <T extends Growth['type']>(
  { partition }: TaskState,
  type: T,
  data: Of<T>['data'],
): NewEvent => ({ type, v: 1, project: '', id: `task.${partition}`, data });
