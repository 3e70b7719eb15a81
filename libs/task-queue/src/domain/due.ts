import type { Command, DecideContext, Decision } from '@athena/event-log';
import type { NewEvent } from '@athena/operation';
import { failureOf } from './attempt.js';
import { decided, taskEvent } from './decisions.js';
import { releaseOf } from './place.js';
import { dueSchedules, nextRunAt } from './schedule-fire.js';
import type { Task, TaskState } from './state.js';
import { firstTimer, nextDue, type Timeout } from './timers.js';

/** Bounds one decision of the partition's own; more follow at once. */
export const DUE_TASKS_PER_DECISION = 500;

const own = (op: string, taskIds: readonly string[]): Command => ({
  op,
  id: op,
  project: '',
  actor: 'system:task-queue',
  input: { taskIds },
});

/**
 * Immediately where dependents wait to be told; else the earliest timer, or run of a schedule, that
 * still stands.
 */
export function nextDueAt(state: TaskState): number | undefined {
  if (state.cascades.size > 0) return 0;
  const [timer, run] = [firstTimer(state)?.at, nextRunAt(state)];
  if (timer === undefined || run === undefined) return timer ?? run;
  return Math.min(timer, run);
}

/** Takes what is due off the plan; deciding it plans whatever comes next. */
export function due(state: TaskState, now: number): Command[] {
  const commands = dueSchedules(state, now);
  if (state.cascades.size > 0) commands.push(own('task.cascade', []));
  const taskIds: string[] = [];
  while (taskIds.length < DUE_TASKS_PER_DECISION) {
    const timer = firstTimer(state);
    if (!timer || timer.at > now) break;
    state.timers.pop();
    taskIds.push(timer.taskId);
  }
  return taskIds.length > 0 ? [...commands, own('task.expire', taskIds)] : commands;
}

/** What time does to tasks: of each the earliest that is due; the next one follows by itself. */
export function expire(state: TaskState, command: Command, { now }: DecideContext): Decision {
  const { taskIds } = command.input as { taskIds: readonly string[] };
  const events: NewEvent[] = [];
  for (const id of new Set(taskIds)) {
    const task = state.tasks.get(id);
    const due = task && nextDue(task);
    if (due && due.at <= now) events.push(timedOut(task, due.timeout, now));
  }
  return decided(events, null);
}

function timedOut(task: Task, timeout: Timeout, now: number): NewEvent {
  switch (timeout) {
    case 'ready':
      return taskEvent('TaskDue', task.project, task.id, {});
    case 'not_started':
      return releaseOf(task, 'not_started', true, now);
    case 'start_to_close':
      return ranTooLong(task, now);
    default:
      return expired(task, timeout);
  }
}

function ranTooLong(task: Task, now: number): NewEvent {
  const { holder, id, startToCloseMs } = task;
  if (!holder) throw new Error(`task ${id} has no holder`);
  const message = `ran longer than ${startToCloseMs} ms (startToCloseMs)`;
  return failureOf({ task, holder }, { message, code: 'TIMED_OUT' }, true, now);
}

/** A time of the task itself is over, whatever it is at. */
function expired(
  { project, id, options, error, holder }: Task,
  reason: 'deadline' | 'retry_until' | 'schedule_to_start',
): NewEvent {
  const { deadline, retryUntil, scheduleToStartMs } = options ?? {};
  const errors = {
    deadline: {
      message: `not finished by ${deadline} (deadline)`,
      code: 'DEADLINE_EXCEEDED',
    },
    // What the last attempt failed with, if there was one, says more.
    retry_until: error ?? {
      message: `no attempt began before ${retryUntil} (retryUntil)`,
      code: 'RETRY_UNTIL_PASSED',
    },
    schedule_to_start: {
      message: `with no agent within ${scheduleToStartMs} ms (scheduleToStartMs)`,
      code: 'SCHEDULE_TO_START_TIMEOUT',
    },
  };
  return taskEvent('TaskExpired', project, id, {
    reason,
    error: errors[reason],
    // Whoever sends it again can't meet a deadline that has passed.
    deadLettered: reason !== 'deadline',
    ...(holder ? { agentId: holder.agentId } : {}),
  });
}
