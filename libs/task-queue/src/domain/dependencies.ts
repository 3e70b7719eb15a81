import type { DependencyOutcome, TaskOptions, TaskStatus } from '@athena/contracts';
import type { NewEvent } from '@athena/operation';
import { taskEvent } from './decisions.js';

/** Who waits for such a task is blocked. */
export const HOPELESS: ReadonlySet<TaskStatus> = new Set(['failed', 'cancelled', 'blocked']);

/** Dependencies that ended otherwise than completed → the failed task at the root. */
export type Failed = Readonly<Record<string, string>>;

/** Whether a task that waits for the dependency, or is blocked by it, knows something else. */
export function differs(failed: Failed, dependency: string, { outcome, cause }: DependencyOutcome) {
  const known = failed[dependency];
  if (outcome === 'completed') return true;
  return outcome === 'failed' ? known !== cause : known !== undefined;
}

export interface Dependent {
  readonly id: string;
  readonly project: string;
  readonly options: TaskOptions | undefined;
}

/** Dependents of such a task are not blocked but cancelled. */
export const isCancelledWith = (options: TaskOptions | undefined): boolean =>
  options?.onDependencyFailure === 'cancel';

/** What the failure of a dependency does to a task that waits; `already`: it was blocked before. */
export function failureEvent(
  { id, project, options }: Dependent,
  dependency: string,
  cause: string,
  already: boolean,
): NewEvent {
  if (isCancelledWith(options)) {
    const reason = `dependency ${dependency} failed or was cancelled`;
    return taskEvent('TaskCancelled', project, id, { reason, cause });
  }
  const data = { dependency, cause, ...(already ? { already } : {}) };
  return taskEvent('TaskBlocked', project, id, data);
}
