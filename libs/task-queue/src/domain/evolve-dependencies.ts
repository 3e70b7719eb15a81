import type { DependencyOutcome, TaskLifeEvent } from '@athena/contracts';
import { differs } from './dependencies.js';
import { addTo, removeFrom, type Task, type TaskState } from './state.js';
import { plan } from './timers.js';

type Data<T extends TaskLifeEvent['type']> = Extract<TaskLifeEvent, { type: T }>['data'];

/** The task waits for the dependency, from now on or again. */
export function awaitDependency(state: TaskState, task: Task, dependency: string): void {
  addTo(state.dependents, dependency, task.id);
  consider(state, task, dependency);
}

/** It completed, or the task does not wait for anything any more. */
export function waitNoMore(state: TaskState, task: Task, dependency: string): void {
  task.waitsFor = without(task.waitsFor, dependency);
  delete task.failedDependencies[dependency];
  removeFrom(state.dependents, dependency, task.id);
  told(state, dependency, task.id);
}

export function blocked(
  state: TaskState,
  task: Task,
  { dependency, cause }: Data<'TaskBlocked'>,
  at: number,
): void {
  task.waitsFor = without(task.waitsFor, dependency);
  task.failedDependencies[dependency] = cause;
  consider(state, task, dependency);
  if (task.status === 'blocked') return;
  task.status = 'blocked';
  task.cause = cause;
  plan(state, task, at);
  tellDependents(state, task.id, { outcome: 'failed', cause });
}

export function reopened(
  state: TaskState,
  task: Task,
  { dependency, cause }: Data<'DependencyReopened'>,
  at: number,
): void {
  delete task.failedDependencies[dependency];
  task.waitsFor = [...without(task.waitsFor, dependency), dependency];
  consider(state, task, dependency);
  if (cause === task.cause) return;
  task.cause = cause;
  if (cause !== undefined) return tellDependents(state, task.id, { outcome: 'failed', cause });
  task.status = 'pending';
  plan(state, task, at);
  tellDependents(state, task.id, { outcome: 'reopened', cause: task.id });
}

/** Those that know something else are told, one decision after the other. */
export function tellDependents(state: TaskState, id: string, now: DependencyOutcome): void {
  const { outcome, cause } = now;
  state.cascades.set(id, { outcome, cause });
  findUntold(state, id, now);
  if (!state.untold.has(id)) state.cascades.delete(id);
}

/** Who has to be told of an outcome; derives from the tables. */
export function findUntold(state: TaskState, id: string, outcome: DependencyOutcome): void {
  state.untold.delete(id);
  for (const dependent of state.dependents.get(id) ?? []) {
    const { failedDependencies = {} } = state.tasks.get(dependent) ?? {};
    if (differs(failedDependencies, id, outcome)) addTo(state.untold, id, dependent);
  }
}

/** After a change of what the task knows of a dependency: whether there is something to tell it. */
function consider(state: TaskState, task: Task, dependency: string): void {
  const outcome = state.cascades.get(dependency);
  if (!outcome) return;
  const untold = differs(task.failedDependencies, dependency, outcome);
  if (untold) addTo(state.untold, dependency, task.id);
  else told(state, dependency, task.id);
}

function told(state: TaskState, dependency: string, id: string): void {
  removeFrom(state.untold, dependency, id);
  if (!state.untold.has(dependency)) state.cascades.delete(dependency);
}

const without = (ids: readonly string[], id: string): string[] =>
  ids.filter((other) => other !== id);
