import { isOfPartition, isOfSchedule, limits } from '@athena/contracts';
import type {
  ScheduleEvent,
  TaskEvent,
  TaskLifeEvent,
  TaskPartitionEvent,
} from '@athena/contracts';
import { CLOCKS_RESTARTED, PARTITION_OPENED } from '@athena/event-log';
import type { EventContext, LoggedEvent } from '@athena/event-log';
import { timeOfId } from '@athena/operation';
import { evolveGrowth } from './partitions.js';
import { failReasonOf } from './record.js';
import { evolveSchedule } from './schedule-state.js';
import { evolvePauses } from './pauses.js';
import { progressed } from './progress.js';
import {
  awaitDependency,
  blocked,
  reopened,
  tellDependents,
  waitNoMore,
} from './evolve-dependencies.js';
import {
  addTo,
  agentKey,
  editRow,
  removeFrom,
  type Holder,
  type Task,
  type TaskState,
} from './state.js';
import { plan, restartClocks } from './timers.js';

type Of<T extends TaskLifeEvent['type']> = Extract<TaskLifeEvent, { type: T }>;
type Data<T extends TaskLifeEvent['type']> = Of<T>['data'];

/** Folds one event into the state. Total over every event that a task partition ever held. */
export function evolve(state: TaskState, logged: LoggedEvent, context: EventContext): void {
  if (state.justLoaded) notRemembered(state, context.at);
  if (logged.type === PARTITION_OPENED || logged.type === CLOCKS_RESTARTED) {
    return restartClocks(state, context.at);
  }
  const event = logged as TaskEvent & LoggedEvent;
  if (isOfSchedule(event)) return evolveSchedule(state, event, context.at);
  if (isOfPartition(event)) return partitionChanged(state, event, context.at);
  if (event.type === 'TaskCreated') return created(state, event, context);
  if (event.type === 'TaskRedriven') return redriven(state, event, context);
  const task = state.tasks.edit(event.id);
  if (task) changed(state, task, event, context);
}

/** What concerns the partition as a whole, or tasks of another one. */
function partitionChanged(
  state: TaskState,
  event: Exclude<TaskPartitionEvent, ScheduleEvent> & LoggedEvent,
  at: number,
): void {
  switch (event.type) {
    case 'RouterOpened':
      editRow(state).routerEpoch = event.data.routerEpoch;
      return;
    case 'DependencySettled':
      return tellDependents(state, event.id, event.data);
    case 'OthersFollowed':
      editRow(state).followed = event.data.seq;
      return;
    case 'QueuePaused':
    case 'QueueResumed':
      return evolvePauses(state, event, at);
    case 'OutcomeRepeated':
      // Said to the others.
      return;
    default:
      return evolveGrowth(state, event, at);
  }
}

function changed(
  state: TaskState,
  task: Task,
  event: Exclude<TaskLifeEvent, Of<'TaskCreated' | 'TaskRedriven'>>,
  context: EventContext,
): void {
  switch (event.type) {
    case 'DependencyCompleted':
      return dependencyCompleted(state, task, event.data, context.at);
    case 'DependencyReopened':
      return reopened(state, task, event.data, context.at);
    case 'TaskBlocked':
      return blocked(state, task, event.data, context.at);
    case 'TaskDue':
      return due(state, task, context.at);
    case 'TaskAssigned':
      return assigned(state, task, event.data, context);
    case 'TaskStarted':
      return started(state, task, context.at);
    case 'TaskProgressed':
      return progressed(task, event.data, context.at);
    case 'TaskCompleted':
      return completed(state, task, event.data, context.at);
    case 'AttemptFailed':
      return attemptFailed(state, task, event.data, context.at);
    case 'TaskFailed':
      return failed(state, task, event.data, context.at);
    case 'TaskExpired':
      return expired(state, task, event.data, context.at);
    case 'TaskReleased':
      return released(state, task, event.data, context.at);
    case 'TaskCancelled':
      return cancelled(state, task, context.at);
    case 'TaskReprioritised':
      task.priority = event.data.priority;
      return;
    default:
      return event satisfies never;
  }
}

function created(state: TaskState, event: Of<'TaskCreated'>, context: EventContext): void {
  add(state, taskOf(event, context.at), context.at);
  const { idempotency } = event.data;
  if (idempotency) rememberKey(state, event, idempotency, context);
}

/** The event holds all of the task, which this state has forgotten. */
function redriven(state: TaskState, event: Of<'TaskRedriven'>, { at }: EventContext): void {
  const { createdAt, attempt } = event.data;
  const task = taskOf(event, Date.parse(createdAt));
  add(state, { ...task, attempt, assignments: attempt, redrivenAfter: attempt }, at);
  tellDependents(state, task.id, { outcome: 'reopened', cause: task.id });
}

function add(state: TaskState, task: Task, at: number): void {
  state.tasks.set(task.id, task);
  for (const dependency of task.waitsFor) awaitDependency(state, task, dependency);
  plan(state, task, at);
}

function taskOf(event: Of<'TaskCreated' | 'TaskRedriven'>, createdAt: number): Task {
  const { data } = event;
  const runAt = data.runAt === undefined ? undefined : Date.parse(data.runAt);
  return {
    id: event.id,
    project: event.project,
    content: data.content,
    taskType: data.taskType,
    priority: data.priority,
    requirements: data.requirements,
    dependencies: data.dependencies,
    waitsFor: [...data.waitsFor],
    failedDependencies: {},
    cause: undefined,
    status: 'pending',
    createdAt,
    maxAttempts: data.maxAttempts,
    autoRoute: data.autoRoute,
    readyAt: runAt,
    readyReason: runAt === undefined ? undefined : 'scheduled',
    assignBy: undefined,
    runAt,
    startToCloseMs: data.startToCloseMs,
    estimatedDurationMs: data.estimatedDurationMs,
    batchId: data.batchId,
    metadata: data.metadata,
    excludeAgents: data.excludeAgents,
    options: data.options,
    schedule: data.schedule,
    attempt: 0,
    assignments: 0,
    retryCount: 0,
    redrivenAfter: undefined,
    holder: undefined,
    endedLease: undefined,
    error: undefined,
    progress: undefined,
    progressUse: undefined,
    completedAt: undefined,
    result: undefined,
    durationMs: undefined,
    deadLettered: undefined,
    failReason: undefined,
  };
}

function rememberKey(
  state: TaskState,
  event: Of<'TaskCreated'>,
  { key, fingerprint }: { key: string; fingerprint: string },
  { at, rev, index }: EventContext,
): void {
  const row = `${event.project}/${key}`;
  // A commit holds far fewer events than this factor: the order is unique and grows.
  const order = rev * 1_000_000 + index;
  state.keys.set(row, { taskId: event.id, fingerprint, at, order });
  state.keyOrder.push(row);
  forgetKeys(state, at);
}

function forgetKeys(state: TaskState, at: number): void {
  for (;;) {
    const oldest = state.keyOrder[state.keysHead];
    if (oldest === undefined) break;
    const row = state.keys.get(oldest);
    const expired = row !== undefined && row.at < at - limits.IDEMPOTENCY_WINDOW_MS;
    if (!expired && state.keys.size <= limits.IDEMPOTENCY_KEYS_MAX) break;
    state.keys.delete(oldest);
    state.keysHead++;
  }
  if (state.keysHead > limits.IDEMPOTENCY_KEYS_MAX) {
    state.keyOrder = state.keyOrder.slice(state.keysHead);
    state.keysHead = 0;
  }
}

function dependencyCompleted(
  state: TaskState,
  task: Task,
  data: Data<'DependencyCompleted'>,
  at: number,
): void {
  waitNoMore(state, task, data.dependency);
  plan(state, task, at);
}

function due(state: TaskState, task: Task, at: number): void {
  task.readyAt = undefined;
  task.readyReason = undefined;
  plan(state, task, at);
}

function assigned(
  state: TaskState,
  task: Task,
  data: Data<'TaskAssigned'>,
  { at, rev, index }: EventContext,
): void {
  const { agentId, kind, session, claimId } = data;
  const holder: Holder = {
    agentId,
    kind,
    session,
    lease: `${state.partition}.${rev}.${index}`,
    assignedAt: at,
    startBy: Date.parse(data.startBy),
  };
  if (claimId !== undefined) holder.claimId = claimId;
  task.holder = holder;
  task.status = 'assigned';
  task.attempt = data.attempt;
  task.assignments++;
  task.progress = undefined;
  task.progressUse = undefined;
  addTo(state.held, agentKey(task.project, agentId), task.id);
  plan(state, task, at);
}

function started(state: TaskState, task: Task, at: number): void {
  const { holder } = task;
  if (!holder) return;
  task.status = 'running';
  holder.startedAt = at;
  if (task.startToCloseMs !== undefined) holder.closeBy = at + task.startToCloseMs;
  plan(state, task, at);
}

function completed(state: TaskState, task: Task, data: Data<'TaskCompleted'>, at: number): void {
  task.result = data.result ?? null;
  task.durationMs = data.durationMs;
  task.error = undefined;
  finish(state, task, 'completed', at);
}

function attemptFailed(
  state: TaskState,
  task: Task,
  data: Data<'AttemptFailed'>,
  at: number,
): void {
  task.error = data.error;
  task.retryCount++;
  task.readyAt = Date.parse(data.retryAt);
  task.readyReason = 'backoff';
  backToPending(state, task, at);
}

function failed(state: TaskState, task: Task, data: Data<'TaskFailed'>, at: number): void {
  task.error = data.error;
  task.durationMs = data.durationMs;
  task.deadLettered = data.deadLettered;
  task.failReason = failReasonOf(data);
  finish(state, task, 'failed', at);
}

function expired(state: TaskState, task: Task, data: Data<'TaskExpired'>, at: number): void {
  task.error = data.error;
  task.deadLettered = data.deadLettered;
  task.failReason = data.reason;
  tellHolder(state, task, at);
  finish(state, task, 'failed', at);
  // It was taken from its holder, whose lease says nothing any more.
  if (task.holder) task.endedLease = undefined;
}

function cancelled(state: TaskState, task: Task, at: number): void {
  tellHolder(state, task, at);
  finish(state, task, 'cancelled', at);
}

/** The next answers to the agent say that it works on the task in vain. */
function tellHolder(state: TaskState, { holder, project, id }: Task, at: number): void {
  if (holder) state.cancellations.add(agentKey(project, holder.agentId), id, at);
}

function released(
  state: TaskState,
  task: Task,
  { reason }: Data<'TaskReleased'>,
  at: number,
): void {
  // Work that never began did not use up an attempt.
  if (reason === 'not_started') task.attempt--;
  backToPending(state, task, at);
}

function backToPending(state: TaskState, task: Task, at: number): void {
  endHold(state, task);
  task.holder = undefined;
  task.progress = undefined;
  task.progressUse = undefined;
  task.status = 'pending';
  plan(state, task, at);
}

function endHold(state: TaskState, task: Task): void {
  const { holder } = task;
  if (!holder) return;
  task.endedLease = holder.lease;
  removeFrom(state.held, agentKey(task.project, holder.agentId), task.id);
}

/** The task leaves the live state; its dependents are told, one decision after the other. */
function finish(
  state: TaskState,
  task: Task,
  status: 'completed' | 'failed' | 'cancelled',
  at: number,
): void {
  task.status = status;
  task.completedAt = at;
  endHold(state, task);
  for (const dependency of [...task.waitsFor, ...Object.keys(task.failedDependencies)]) {
    waitNoMore(state, task, dependency);
  }
  const outcome = status === 'completed' ? 'completed' : 'failed';
  tellDependents(state, task.id, { outcome, cause: task.id });
  state.tasks.delete(task.id);
  state.finishedSinceTaken.push(task.id);
  const forgotten = state.recent.add(task);
  if (forgotten === undefined) return;
  state.unknownBefore = Math.max(state.unknownBefore, timeOfId(forgotten) + 1);
}

/**
 * What finished before the checkpoint is not in `recent`, and the first event behind it is later.
 * A standby, which has followed since, opens with all of it: it needs no read model to go on.
 */
function notRemembered(state: TaskState, firstAt: number): void {
  state.justLoaded = false;
  state.unknownBefore = Math.max(state.unknownBefore, firstAt);
}
