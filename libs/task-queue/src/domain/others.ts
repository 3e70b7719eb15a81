import type { DependencyOutcome, TaskEvent, TaskOutline, TaskStatus } from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import { partitionOfId, type NewEvent } from '@athena/operation';
import { decided, finishedTask, taskEvent, unchanged } from './decisions.js';
import { HOPELESS, differs } from './dependencies.js';
import { rowOf, type Task, type TaskState } from './state.js';

/*
 * Dependencies across partitions. The owner of each partition follows the log of the others.
 *
 * Let a task of partition Q that waits for task d of partition P be created at position c. If d
 * ends behind c, Q's owner reads of it after it has folded c, and settles the dependency. If d had
 * ended before c, P's owner, which reads of the task at c, sees that in its state and says once
 * more how d ended (`OutcomeRepeated`), which Q's owner reads. Nothing need be remembered but how
 * far each has followed.
 *
 * A redriven d may complete after all. What Q's owner reads of d is in the order of P's log, so
 * the last of it holds. If d was redriven before c, but seen as failed when the task was created,
 * P's owner reads at `TaskBlocked` that d blocks the task, and says that it does not any more.
 */

/** Followed positions in which nothing was for this partition are recorded this far apart. */
export const FOLLOWED_APART = 10_000;

export interface Ended extends DependencyOutcome {
  readonly taskId: string;
}

/** What one stretch of the other partitions' log says to this one. */
export interface Observation {
  /** Tasks of others that ended, are blocked, or are neither any more; of one task the last. */
  readonly ended: readonly Ended[];
  /** Tasks of this partition for which tasks of others began to wait. */
  readonly awaited: readonly string[];
  /** Tasks of this partition that block tasks of others. */
  readonly blocking: readonly string[];
  /** Position up to which the others are followed with it. */
  readonly seq: number;
}

/** Gathers what events of other partitions say to this one. */
export class Hearing {
  readonly #partition: number;
  #ended = new Map<string, Ended>();
  #awaited = new Set<string>();
  #blocking = new Set<string>();

  constructor(partition: number) {
    this.#partition = partition;
  }

  get size(): number {
    return this.#ended.size + this.#awaited.size + this.#blocking.size;
  }

  hear(event: TaskEvent): void {
    const ended = outcomeIn(event);
    if (ended) this.#ended.set(event.id, { taskId: event.id, ...ended });
    if (event.type === 'TaskCreated' || event.type === 'TaskRedriven') {
      for (const id of event.data.waitsFor) if (this.#isOurs(id)) this.#awaited.add(id);
    }
    if (event.type === 'TaskBlocked' && this.#isOurs(event.data.dependency)) {
      this.#blocking.add(event.data.dependency);
    }
  }

  /** All of it, up to the position; then it begins anew. */
  take(seq: number): Observation {
    const ended = [...this.#ended.values()];
    const observation = { ended, awaited: [...this.#awaited], blocking: [...this.#blocking], seq };
    this.#ended = new Map();
    this.#awaited = new Set();
    this.#blocking = new Set();
    return observation;
  }

  #isOurs(taskId: string): boolean {
    return partitionOfId(taskId) === this.#partition;
  }
}

/** How the event's task stands to those that wait for it from then on; null: as before. */
function outcomeIn({ id, type, data }: TaskEvent): DependencyOutcome | null {
  switch (type) {
    case 'TaskCompleted':
      return { outcome: 'completed', cause: id };
    case 'TaskFailed':
    case 'TaskExpired':
    case 'TaskCancelled':
      return { outcome: 'failed', cause: id };
    case 'TaskBlocked':
      return data.already ? null : { outcome: 'failed', cause: data.cause };
    case 'DependencyReopened':
      return data.cause === undefined
        ? { outcome: 'reopened', cause: id }
        : { outcome: 'failed', cause: data.cause };
    case 'TaskRedriven':
      return { outcome: 'reopened', cause: id };
    case 'OutcomeRepeated':
      return data;
    default:
      return null;
  }
}

/** task.observe, of the partition's own. */
export function observe(state: TaskState, command: Command, { fetched }: DecideContext): Decision {
  const { ended, seq, ...ours } = command.input as Observation;
  const { followed = 0 } = rowOf(state);
  if (seq <= followed) return unchanged(null);
  const awaited = new Set(ours.awaited);
  const blocking = new Set(ours.blocking);
  const needs: string[] = [];
  const events: NewEvent[] = [];
  for (const id of new Set([...awaited, ...blocking])) {
    const task = outlineOf(state, id, fetched);
    if (task === undefined) needs.push(id);
    else if (task) events.push(...repeated(task, awaited.has(id), blocking.has(id)));
  }
  if (needs.length > 0) return { needs };
  events.push(...settled(state, ended));
  if (events.length === 0 && seq - followed < FOLLOWED_APART) return unchanged(null);
  const id = `task.${state.partition}`;
  events.push({ type: 'OthersFollowed', v: 1, project: '', id, data: { seq } });
  return decided(events, null);
}

/** Nothing is said that whoever waits for the task knows: how it ends will be read. */
function repeated(
  { taskId, project, status, cause }: TaskOutline,
  awaited: boolean,
  blocking: boolean,
): NewEvent[] {
  const now = standing(status);
  const known = now === 'failed' ? !awaited : now === 'reopened' && !blocking;
  if (known) return [];
  const data = { outcome: now, cause: cause ?? taskId };
  return [taskEvent('OutcomeRepeated', project, taskId, data)];
}

function standing(status: TaskStatus): DependencyOutcome['outcome'] {
  if (status === 'completed') return status;
  return HOPELESS.has(status) ? 'failed' : 'reopened';
}

function settled(state: TaskState, ended: readonly Ended[]): NewEvent[] {
  return ended.flatMap(({ taskId, outcome, cause }) => {
    const dependents = [...(state.dependents.get(taskId) ?? [])].map(
      (id) => state.tasks.get(id) as Task,
    );
    const now = { outcome, cause };
    const telling = state.cascades.get(taskId);
    const same = telling
      ? telling.outcome === outcome && telling.cause === cause
      : !dependents.some(({ failedDependencies }) => differs(failedDependencies, taskId, now));
    if (same) return [];
    return [taskEvent('DependencySettled', dependents[0]?.project ?? '', taskId, now)];
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
