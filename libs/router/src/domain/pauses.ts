import type { TaskEvent } from '@athena/contracts';
import { Table } from '@athena/event-log';
import type { Group } from './group.js';
import type { AnyEvent, RouterState, Standing } from './router-state.js';

type Pausing = Extract<TaskEvent, { type: 'QueuePaused' | 'QueueResumed' }>;

/** Times in milliseconds. */
export interface Pause {
  /** Null: the whole project. */
  readonly taskType: string | null;
  readonly by: string;
  readonly since: number;
}

/** A type's name is never empty. */
const keyOf = (project: string, taskType: string | null): string => `${project}/${taskType ?? ''}`;

/** What is paused: whole projects, and types of tasks in them. */
export class Pauses {
  readonly table = new Table<Pause>('pause');

  /** Why tasks of the type are held back; null: they are not. */
  of(project: string, taskType: string): Pause | null {
    if (this.table.size === 0) return null;
    const whole = this.table.get(keyOf(project, null));
    return whole ?? this.table.get(keyOf(project, taskType)) ?? null;
  }

  holds({ set, taskType }: Group): boolean {
    return this.of(set.project, taskType) !== null;
  }
}

/**
 * A pause touches no task: the groups that it holds stand in no line, and go back to theirs when
 * it is over, each with its tasks in their order.
 */
export function evolvePauses(
  { pauses, backlog, fleet }: RouterState,
  { type, data, project, actor }: Pausing & AnyEvent,
  { at }: Standing,
): void {
  const { taskType = null } = data;
  const key = keyOf(project, taskType);
  if (type === 'QueueResumed') pauses.table.delete(key);
  else pauses.table.set(key, { taskType, by: actor ?? '', since: at });
  for (const set of fleet.sets(project)) {
    for (const group of set.groups.values()) {
      if (pauses.holds(group)) backlog.hold(group);
      else if (taskType === null || group.taskType === taskType) backlog.release(group);
    }
  }
}
