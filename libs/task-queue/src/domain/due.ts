import type { Command, DecideContext, Decision } from '@athena/event-log';
import type { NewEvent } from '@athena/operation';
import { failureOf } from './attempt.js';
import { decided, taskEvent } from './decisions.js';
import { releaseOf } from './place.js';
import { deadlineOf, type Task, type TaskState } from './state.js';

/** Bounds one decision of the partition's own; more follow at once. */
export const DUE_TASKS_PER_DECISION = 500;

const own = (op: string, taskIds: readonly string[]): Command => ({
  op,
  id: op,
  project: '',
  actor: 'system:task-queue',
  input: { taskIds },
});

/** Immediately where dependents wait to be told; else the earliest deadline that still stands. */
export function nextDueAt(state: TaskState): number | undefined {
  if (state.cascades.size > 0) return 0;
  for (;;) {
    const next = state.deadlines.peek();
    if (!next) return undefined;
    if (stands(state, next.taskId, next.at)) return next.at;
    state.deadlines.pop();
  }
}

const stands = (state: TaskState, taskId: string, at: number): boolean => {
  const task = state.tasks.get(taskId);
  return task !== undefined && deadlineOf(task) === at;
};

/** Takes what is due off the plan; deciding it plans whatever comes next. */
export function due(state: TaskState, now: number): Command[] {
  const commands = state.cascades.size > 0 ? [own('task.cascade', [])] : [];
  const taskIds: string[] = [];
  while (taskIds.length < DUE_TASKS_PER_DECISION) {
    const at = dueDeadline(state);
    if (at === undefined || at > now) break;
    const deadline = state.deadlines.pop();
    if (deadline) taskIds.push(deadline.taskId);
  }
  return taskIds.length > 0 ? [...commands, own('task.expire', taskIds)] : commands;
}

function dueDeadline(state: TaskState): number | undefined {
  for (;;) {
    const next = state.deadlines.peek();
    if (!next || stands(state, next.taskId, next.at)) return next?.at;
    state.deadlines.pop();
  }
}

/** Planned times, backoffs, leases not started and attempts that ran too long. */
export function expire(state: TaskState, command: Command, { now }: DecideContext): Decision {
  const { taskIds } = command.input as { taskIds: readonly string[] };
  const events: NewEvent[] = [];
  for (const id of new Set(taskIds)) {
    const task = state.tasks.get(id);
    const at = task && deadlineOf(task);
    if (task && at !== undefined && at <= now) events.push(expired(task, now));
  }
  return decided(events, null);
}

function expired(task: Task, now: number): NewEvent {
  if (!task.holder) return taskEvent('TaskDue', task.project, task.id, {});
  if (task.status === 'assigned') return releaseOf(task, 'not_started', true, now);
  const ms = task.startToCloseMs ?? 0;
  const error = { message: `ran longer than ${ms} ms (startToCloseMs)`, code: 'TIMED_OUT' };
  return failureOf({ task, holder: task.holder }, error, true, now);
}

/** Tells the dependents of finished or blocked tasks, a bounded number at a time. */
export function cascade(state: TaskState): Decision {
  const events: NewEvent[] = [];
  for (const [dependency, { outcome, cause }] of state.cascades.entries()) {
    for (const id of state.dependents.get(dependency) ?? []) {
      if (events.length >= DUE_TASKS_PER_DECISION) return decided(events, null);
      const { project } = state.tasks.get(id) as Task;
      events.push(
        outcome === 'completed'
          ? taskEvent('DependencyCompleted', project, id, { dependency })
          : taskEvent('TaskBlocked', project, id, { dependency, cause }),
      );
    }
  }
  return decided(events, null);
}
