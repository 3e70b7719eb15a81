import { TOO_MANY_PAUSES, limits, type QueuePauses, type TaskEvent } from '@athena/contracts';
import type { Command, Decision, LoggedEvent } from '@athena/event-log';
import { refused, taskEvent, unchanged } from './decisions.js';
import { HOME } from './partitions.js';
import type { PauseRow, ProjectPauses, TaskState } from './state.js';

/*
 * The first partition keeps what is paused, for the tasks of all of them. It offers nothing less
 * for it: every assignment goes through the router, which folds these events and holds back.
 */

type Pausing = Extract<TaskEvent, { type: 'QueuePaused' | 'QueueResumed' }>;

const NOTHING: ProjectPauses = { project: null, taskTypes: [] };

const rowOf = (state: TaskState, project: string): ProjectPauses =>
  state.pauses.get(project) ?? NOTHING;

const isPaused = ({ project, taskTypes }: ProjectPauses, taskType: string | undefined): boolean =>
  taskType === undefined ? project !== null : taskTypes.some((one) => one.taskType === taskType);

/** queue.pause */
export function pauseQueue(state: TaskState, { project, input }: Command): Decision {
  const { taskType } = input as { taskType?: string };
  const row = rowOf(state, project);
  if (isPaused(row, taskType)) return unchanged(tell(row));
  if (taskType !== undefined && row.taskTypes.length >= limits.PAUSED_TYPES_MAX) {
    return refused(TOO_MANY_PAUSES, `${limits.PAUSED_TYPES_MAX} types are paused`, 'taskType');
  }
  return changed(state, 'QueuePaused', project, taskType);
}

/** queue.resume */
export function resumeQueue(state: TaskState, { project, input }: Command): Decision {
  const { taskType } = input as { taskType?: string };
  const row = rowOf(state, project);
  return isPaused(row, taskType)
    ? changed(state, 'QueueResumed', project, taskType)
    : unchanged(tell(row));
}

/** queue.paused */
export const pausedQueue = (state: TaskState, { project }: Command): Decision =>
  unchanged(tell(rowOf(state, project)));

export function evolvePauses(
  state: TaskState,
  { type, data, project, actor }: Pausing & LoggedEvent,
  at: number,
): void {
  const { taskType } = data;
  const pause = type === 'QueuePaused' ? { by: actor ?? '', since: at } : null;
  const before = rowOf(state, project);
  const row =
    taskType === undefined ? { ...before, project: pause } : withType(before, taskType, pause);
  if (row.project === null && row.taskTypes.length === 0) state.pauses.delete(project);
  else state.pauses.set(project, row);
}

function withType(row: ProjectPauses, taskType: string, pause: PauseRow | null): ProjectPauses {
  const others = row.taskTypes.filter((one) => one.taskType !== taskType);
  return { ...row, taskTypes: pause ? [...others, { taskType, ...pause }] : others };
}

function changed(
  state: TaskState,
  type: Pausing['type'],
  project: string,
  taskType: string | undefined,
): Decision {
  const data = taskType === undefined ? {} : { taskType };
  return {
    events: [taskEvent(type, project, `task.${HOME}`, data)],
    answer: () => tell(rowOf(state, project)),
  };
}

const iso = ({ by, since }: PauseRow): { by: string; since: string } => ({
  by,
  since: new Date(since).toISOString(),
});

const tell = ({ project, taskTypes }: ProjectPauses): QueuePauses => ({
  project: project && iso(project),
  taskTypes: taskTypes.map((one) => ({ taskType: one.taskType, ...iso(one) })),
});
