import {
  ILLEGAL_TRANSITION,
  STALE_LEASE,
  TASK_CANCELLED,
  backoff,
  type Priority,
  type TaskError,
} from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import type { NewEvent } from '@athena/operation';
import { decided, locate, refused, taskEvent, unchanged } from './decisions.js';
import { agentKey, type FinishedTask, type Holder, type Task, type TaskState } from './state.js';
import { deadlineOf, mayBegin } from './timers.js';

interface Report {
  readonly taskId: string;
  readonly lease?: string;
}

/** A live task and its holder, whose lease (or an operator's authority) was shown. */
interface Held {
  readonly task: Task;
  readonly holder: Holder;
}

/** Told of every holder that reported: it is alive. */
export type OnContact = (project: string, agentId: string) => void;

type Holding = Held | { readonly finished: FinishedTask } | { readonly decision: Decision };

/** Agents must present the lease; an operator may leave it out. */
const mustShowLease = (actor: string): boolean => actor.startsWith('agent');

/** Who holds the task, by the lease that the report shows; else what it is answered. */
export function holding(state: TaskState, command: Command, context: DecideContext): Holding {
  const located = locate(state, command, context);
  if ('decision' in located) return located;
  const { lease } = command.input as Report;
  if ('finished' in located) {
    const stale =
      lease === undefined ? mustShowLease(command.actor) : lease !== located.finished.lease;
    if (stale) return { decision: staleLease(command) };
    const calledOff = lease !== undefined && located.finished.record.status === 'cancelled';
    return calledOff ? { decision: cancelledMeanwhile(command) } : located;
  }
  const { live: task } = located;
  const { holder } = task;
  const foreign =
    command.actor.startsWith('agent:') && command.actor !== `agent:${holder?.agentId}`;
  const shown = lease === undefined ? !mustShowLease(command.actor) : lease === holder?.lease;
  if (!holder && lease === undefined && shown) return { decision: illegal(command, task.status) };
  const late = context.now >= (deadlineOf(task) ?? Number.POSITIVE_INFINITY);
  if (!holder || foreign || !shown || late) return { decision: staleLease(command) };
  return { task, holder };
}

const staleLease = ({ input }: Command): Decision => {
  const { taskId, lease } = input as Report;
  const what = lease === undefined ? 'no lease was given' : 'the lease is not the current one';
  return refused(STALE_LEASE, `task ${taskId}: ${what}`, 'lease');
};

const cancelledMeanwhile = ({ input }: Command): Decision =>
  refused(TASK_CANCELLED, `task ${(input as Report).taskId} was cancelled`);

export const illegal = ({ op, input }: Command, status: string): Decision => {
  const { taskId } = input as Report;
  const verb = op.slice(op.indexOf('.') + 1);
  const detail = `task ${taskId} is ${status}: ${verb} needs it to be assigned or running`;
  return refused(ILLEGAL_TRANSITION, detail);
};

const answerOf = (task: { id: string }, status: string): unknown => ({ taskId: task.id, status });

/** What a report is answered with that leaves the task with its holder. */
export const toHolder = (
  state: TaskState,
  { task, holder }: Held,
  status: string,
  now: number,
): unknown => ({
  taskId: task.id,
  status,
  cancelled: state.cancellations.of(agentKey(task.project, holder.agentId), now),
});

/** Implied by progress, complete and fail, so that every attempt has its start in the log. */
export const startEvents = ({ task, holder }: Held): NewEvent[] =>
  holder.startedAt !== undefined
    ? []
    : [
        taskEvent('TaskStarted', task.project, task.id, {
          agentId: holder.agentId,
          attempt: task.attempt,
        }),
      ];

export function startTask(state: TaskState, command: Command, context: DecideContext): Decision {
  const found = holding(state, command, context);
  if ('decision' in found) return found.decision;
  if ('finished' in found) return afterTheEnd(command, found.finished);
  return decided(startEvents(found), toHolder(state, found, 'running', context.now));
}

/** A later start or heartbeat of the attempt that finished the task changes nothing. */
function afterTheEnd(command: Command, { record }: FinishedTask): Decision {
  const { lease } = command.input as Report;
  if (lease === undefined) return illegal(command, record.status);
  return unchanged({ taskId: record.taskId, status: record.status, cancelled: [] });
}

export function heartbeatTask(
  state: TaskState,
  command: Command,
  context: DecideContext,
): Decision {
  const found = holding(state, command, context);
  if ('decision' in found) return found.decision;
  if ('finished' in found) return illegal(command, found.finished.record.status);
  return unchanged(toHolder(state, found, found.task.status, context.now));
}

export function completeTask(state: TaskState, command: Command, context: DecideContext): Decision {
  const found = holding(state, command, context);
  if ('decision' in found) return found.decision;
  const { result = null, metrics } = command.input as {
    result?: unknown;
    metrics?: Record<string, unknown> & { durationMs?: number };
  };
  if ('finished' in found) return completedBefore(command, found.finished, result);
  const { task } = found;
  const completed = taskEvent('TaskCompleted', task.project, task.id, {
    ...attemptOf(found, context.now, metrics?.durationMs),
    result,
    ...(metrics ? { metrics } : {}),
  });
  return decided([...startEvents(found), completed], answerOf(task, 'completed'));
}

/** The same completion twice is one; another result can't replace the recorded one. */
function completedBefore(command: Command, { record }: FinishedTask, result: unknown): Decision {
  if (record.status !== 'completed') return illegal(command, record.status);
  if (JSON.stringify(record.result) !== JSON.stringify(result)) {
    const detail = `task ${record.taskId} is completed with another result, which stays`;
    return refused(ILLEGAL_TRANSITION, detail, 'result');
  }
  return unchanged({ taskId: record.taskId, status: record.status });
}

export function failTask(state: TaskState, command: Command, context: DecideContext): Decision {
  const repeated = failedBefore(state, command);
  if (repeated) return repeated;
  const found = holding(state, command, context);
  if ('decision' in found) return found.decision;
  if ('finished' in found) {
    const { record } = found.finished;
    if (record.status !== 'failed') return illegal(command, record.status);
    return unchanged({ taskId: record.taskId, status: record.status });
  }
  const { error, shouldRetry } = command.input as { error: TaskError; shouldRetry: boolean };
  const event = failureOf(found, error, shouldRetry, context.now);
  const status = event.type === 'TaskFailed' ? 'failed' : 'pending';
  return decided([...startEvents(found), event], answerOf(found.task, status));
}

/** The attempt's failure was recorded and the task waits again: a repeat of the report. */
function failedBefore(state: TaskState, command: Command): Decision | null {
  const { taskId, lease } = command.input as Report;
  const task = state.tasks.get(taskId);
  if (!task || task.project !== command.project || task.holder) return null;
  if (lease === undefined || lease !== task.endedLease || task.readyReason !== 'backoff')
    return null;
  return unchanged(answerOf(task, task.status));
}

/** The event that an attempt's failure is: back to pending with backoff, or the end. */
export function failureOf(held: Held, error: TaskError, retry: boolean, now: number): NewEvent {
  const { task } = held;
  const attempt = attemptOf(held, now);
  const left = task.attempt < task.maxAttempts;
  const retryAt = now + backoffMs(task);
  if (retry && left && mayBegin(task, retryAt)) {
    const data = { ...attempt, error, retryAt: new Date(retryAt).toISOString() };
    return taskEvent('AttemptFailed', task.project, task.id, data);
  }
  return taskEvent('TaskFailed', task.project, task.id, {
    ...attempt,
    error,
    deadLettered: retry,
    ...(retry ? { reason: left ? 'retry_until' : 'max_attempts' } : {}),
  });
}

const attemptOf = (
  { task, holder }: Held,
  now: number,
  reportedMs?: number,
): { agentId: string; kind: string; attempt: number; durationMs: number } => ({
  agentId: holder.agentId,
  kind: holder.kind,
  attempt: task.attempt,
  durationMs: reportedMs ?? now - (holder.startedAt ?? holder.assignedAt),
});

const DEFAULT_BACKOFF = backoff.parse({});

/**
 * Unless the task says otherwise, exponential backoff with full jitter ("Exponential Backoff And
 * Jitter", AWS Architecture Blog, 2015). The jitter derives from task and attempt: a decision has
 * no randomness of its own.
 */
export function backoffMs({
  id,
  attempt,
  options,
}: Pick<Task, 'id' | 'attempt' | 'options'>): number {
  const { kind, firstMs, factor, maxMs, jitter } = options?.backoff ?? DEFAULT_BACKOFF;
  const ceiling = Math.min(maxMs, kind === 'fixed' ? firstMs : firstMs * factor ** (attempt - 1));
  return Math.round(jitter === 'none' ? ceiling : ceiling * fractionOf(`${id}#${attempt}`));
}

/** FNV-1a, as a fraction of its range. */
function fractionOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) / 2 ** 32;
}

export function cancelTask(state: TaskState, command: Command, context: DecideContext): Decision {
  const located = locate(state, command, context);
  if ('decision' in located) return located.decision;
  if ('finished' in located) {
    const { taskId, status } = located.finished.record;
    if (status === 'cancelled') return unchanged({ taskId, status });
    return refused(ILLEGAL_TRANSITION, `task ${taskId} is ${status}: too late to cancel it`);
  }
  const { live: task } = located;
  const { reason } = command.input as { reason?: string };
  const cancelled = taskEvent('TaskCancelled', task.project, task.id, {
    ...(reason === undefined ? {} : { reason }),
    ...(task.holder ? { agentId: task.holder.agentId } : {}),
  });
  return decided([cancelled], answerOf(task, 'cancelled'));
}

export function reprioritiseTask(
  state: TaskState,
  command: Command,
  context: DecideContext,
): Decision {
  const located = locate(state, command, context);
  if ('decision' in located) return located.decision;
  const { priority } = command.input as { priority: Priority };
  if ('finished' in located) {
    const { taskId, status } = located.finished.record;
    return refused(ILLEGAL_TRANSITION, `task ${taskId} is ${status}: its priority stays`);
  }
  const { live: task } = located;
  const answer = { ...(answerOf(task, task.status) as object), priority };
  if (task.priority === priority) return unchanged(answer);
  return decided([taskEvent('TaskReprioritised', task.project, task.id, { priority })], answer);
}
