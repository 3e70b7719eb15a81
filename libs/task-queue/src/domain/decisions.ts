import { TASK_NOT_FOUND, taskEvents, type TaskEvent } from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import { refuse, type NewEvent, type RefusalDefinition } from '@athena/operation';
import { finishedOf } from './record.js';
import type { FinishedTask, Task, TaskState } from './state.js';

export type DataOf<T extends TaskEvent['type']> = Extract<TaskEvent, { type: T }>['data'];

const VERSIONS = Object.fromEntries(taskEvents.map(({ type, version }) => [type, version]));

/** A new event about a task. */
export const taskEvent = <T extends TaskEvent['type']>(
  type: T,
  project: string,
  id: string,
  data: DataOf<T>,
): NewEvent => ({ type, v: VERSIONS[type] as number, project, id, data });

export const decided = (events: readonly NewEvent[], answer: unknown): Decision => ({
  events,
  answer: () => answer,
});

/** Already so: no events. */
export const unchanged = (answer: unknown): Decision => decided([], answer);

export const refused = (
  definition: RefusalDefinition,
  detail: string,
  field?: string,
): { refusal: ReturnType<typeof refuse> } => ({ refusal: refuse(definition, detail, field) });

/** A finished task, from what is at hand or what was fetched; null: there is none. */
export function finishedTask(
  state: TaskState,
  taskId: string,
  fetched: ReadonlyMap<string, unknown>,
): FinishedTask | null | undefined {
  const recent = state.recent.get(taskId);
  return recent ? finishedOf(recent) : (fetched.get(taskId) as FinishedTask | null | undefined);
}

export type Located =
  { readonly live: Task } | { readonly finished: FinishedTask } | { readonly decision: Decision };

/** Finds the command's task: live, recently finished, or to be fetched from the read model. */
export function locate(
  state: TaskState,
  { project, input }: Command,
  { fetched }: DecideContext,
): Located {
  const { taskId } = input as { taskId: string };
  const live = state.tasks.get(taskId);
  if (live?.project === project) return { live };
  const finished = finishedTask(state, taskId, fetched);
  if (finished?.project === project) return { finished };
  if (!live && !finished && !fetched.has(taskId)) return { decision: { needs: [taskId] } };
  return { decision: refused(TASK_NOT_FOUND, `no task ${taskId} in project ${project}`, 'taskId') };
}
