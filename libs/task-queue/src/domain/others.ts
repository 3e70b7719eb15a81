import type { DependencyOutcome, TaskEvent, TaskOutline, TaskStatus } from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import { partitionOfId, type NewEvent } from '@athena/operation';
import { decided, finishedTask, taskEvent, unchanged } from './decisions.js';
import { rowOf, type TaskState } from './state.js';

/*
 * Dependencies across partitions. The owner of each partition follows the log of the others.
 *
 * Let a task of partition Q that waits for task d of partition P be created at position c. If d
 * ends behind c, Q's owner reads of it after it has folded c, and settles the dependency. If d had
 * ended before c, P's owner, which reads of the task at c, sees that in its state and says once
 * more how d ended (`OutcomeRepeated`), which Q's owner reads. Nothing need be remembered but how
 * far each has followed.
 */

/** Followed positions in which nothing was for this partition are recorded this far apart. */
export const FOLLOWED_APART = 10_000;

/** Who waits for such a task is blocked. */
export const HOPELESS: ReadonlySet<TaskStatus> = new Set(['failed', 'cancelled', 'blocked']);

export interface Ended extends DependencyOutcome {
  readonly taskId: string;
}

/** What one stretch of the other partitions' log says to this one. */
export interface Observation {
  /** Tasks of others that ended or are blocked. */
  readonly ended: readonly Ended[];
  /** Tasks of this partition for which tasks of others began to wait. */
  readonly awaited: readonly string[];
  /** Position up to which the others are followed with it. */
  readonly seq: number;
}

/** What an event of another partition says to this one; null: nothing. */
export function heard(partition: number, event: TaskEvent): Ended | readonly string[] | null {
  const { id } = event;
  switch (event.type) {
    case 'TaskCreated':
      return event.data.waitsFor.filter((dependency) => partitionOfId(dependency) === partition);
    case 'TaskCompleted':
      return { taskId: id, outcome: 'completed', cause: id };
    case 'TaskFailed':
    case 'TaskExpired':
    case 'TaskCancelled':
      return { taskId: id, outcome: 'failed', cause: id };
    case 'TaskBlocked':
      return { taskId: id, outcome: 'failed', cause: event.data.cause };
    case 'OutcomeRepeated':
      return { taskId: id, ...event.data };
    default:
      return null;
  }
}

/** task.observe, of the partition's own. */
export function observe(state: TaskState, command: Command, { fetched }: DecideContext): Decision {
  const { ended, awaited, seq } = command.input as Observation;
  const { followed = 0 } = rowOf(state);
  if (seq <= followed) return unchanged(null);
  const needs: string[] = [];
  const events: NewEvent[] = [];
  for (const id of new Set(awaited)) {
    const task = outlineOf(state, id, fetched);
    if (task === undefined) needs.push(id);
    else if (task) events.push(...repeated(task));
  }
  if (needs.length > 0) return { needs };
  events.push(...settled(state, ended));
  if (events.length === 0 && seq - followed < FOLLOWED_APART) return unchanged(null);
  const id = `task.${state.partition}`;
  events.push({ type: 'OthersFollowed', v: 1, project: '', id, data: { seq } });
  return decided(events, null);
}

/** Of a task that may still complete nothing is said: how it ends will be read. */
function repeated({ taskId, project, status, cause }: TaskOutline): NewEvent[] {
  if (status !== 'completed' && !HOPELESS.has(status)) return [];
  const outcome = status === 'completed' ? 'completed' : 'failed';
  return [taskEvent('OutcomeRepeated', project, taskId, { outcome, cause: cause ?? taskId })];
}

function settled(state: TaskState, ended: readonly Ended[]): NewEvent[] {
  const told = new Set<string>();
  return ended.flatMap(({ taskId, outcome, cause }) => {
    const [dependent] = state.dependents.get(taskId) ?? [];
    if (dependent === undefined || told.has(taskId) || state.cascades.get(taskId)) return [];
    told.add(taskId);
    const project = state.tasks.get(dependent)?.project ?? '';
    return [taskEvent('DependencySettled', project, taskId, { outcome, cause })];
  });
}

/** task.outline: those of the tasks that there are. */
export function outline(state: TaskState, command: Command, { fetched }: DecideContext): Decision {
  const { taskIds } = command.input as { taskIds: readonly string[] };
  const outlines = taskIds.map((id) => outlineOf(state, id, fetched));
  const needs = taskIds.filter((_, index) => outlines[index] === undefined);
  if (needs.length > 0) return { needs };
  return unchanged({ tasks: outlines.filter((task) => task !== null) });
}

/** What is known of a task of any partition; null: there is none; undefined: to be fetched. */
export function outlineOf(
  state: TaskState,
  taskId: string,
  fetched: ReadonlyMap<string, unknown>,
): TaskOutline | null | undefined {
  const live = state.tasks.get(taskId);
  if (live) {
    const { project, status, cause = null } = live;
    return { taskId, project, status, cause };
  }
  if (partitionOfId(taskId) !== state.partition) {
    return fetched.get(taskId) as TaskOutline | null | undefined;
  }
  const finished = finishedTask(state, taskId, fetched);
  if (!finished) return finished;
  return { taskId, project: finished.project, status: finished.record.status, cause: null };
}
