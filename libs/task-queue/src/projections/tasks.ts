import {
  isFinished,
  taskLifeEvents,
  type ProgressReport,
  type TaskLifeEvent,
} from '@athena/contracts';
import type { LoggedEvent } from '@athena/event-log';
import { defineProjection, type Placed, type Projection } from '@athena/projection/define';
import { failReasonOf } from '../domain/record.js';
import { taskColumns, type TaskRow } from './task-row.js';

type Of<T extends TaskLifeEvent['type']> = Extract<TaskLifeEvent, { type: T }>;
type Data<T extends TaskLifeEvent['type']> = Of<T>['data'];
type Change = Partial<TaskRow>;

const ABOUT_TASKS: ReadonlySet<string> = new Set(taskLifeEvents.map(({ type }) => type));

/** Every task that ever was, as its record shows it; live and finished alike. */
export const tasks: Projection = defineProjection<TaskRow>({
  name: 'tasks',
  version: 2,
  table: 'tasks_v2',
  aggregates: ['task'],
  key: ['task_id'],
  columns: taskColumns,
  tally: {
    table: 'task_counts_v2',
    columns: ['project', 'status', 'priority', 'task_type', 'retried'],
    groupOf: ({ project, status, priority, task_type, retry_count }) => [
      project,
      status,
      priority,
      task_type,
      retry_count > 0 ? 'yes' : 'no',
    ],
  },
  keyOf: (event) => (ABOUT_TASKS.has(event.type) ? [event.id] : null),
  startsRow: (event) => event.type === 'TaskCreated',
  apply: applyToTask,
});

/** Folds one event into a task's row; the same meaning as the partition's own `evolve`. */
export function applyToTask(row: TaskRow | null, logged: LoggedEvent, at: Placed): TaskRow | null {
  const event = logged as TaskLifeEvent;
  if (event.type === 'TaskCreated') return created(event, at.at, at);
  if (event.type === 'TaskRedriven') return redriven(event, at);
  if (!row || isFinished(row.status)) return row;
  const change = changeOf(row, event, at);
  return change ? withReason({ ...row, ...change, updated_seq: at.seq }) : row;
}

function changeOf(row: TaskRow, event: TaskLifeEvent, placed: Placed): Change | null {
  switch (event.type) {
    case 'DependencyCompleted':
      return { waits_for: without(row.waits_for, event.data.dependency) };
    case 'DependencyReopened':
      return reopened(row, event.data);
    case 'TaskBlocked':
      return blocked(row, event.data);
    case 'TaskDue':
      return { ready_reason: null };
    case 'TaskAssigned':
      return assigned(event.data, placed);
    case 'TaskStarted':
      return row.assigned_to === null ? {} : { status: 'running', started_at: placed.at };
    case 'TaskProgressed':
      return { progress: { ...row.progress, ...progressOf(event.data) } };
    case 'TaskCompleted':
      return completed(event.data, placed.at);
    case 'AttemptFailed':
      return attemptFailed(row, event.data);
    case 'TaskFailed':
      return failed(event.data, placed.at);
    case 'TaskExpired':
      return expired(row, event.data, placed.at);
    case 'TaskReleased':
      // Work that never began did not use up an attempt.
      return event.data.reason === 'not_started'
        ? { ...BACK_TO_PENDING, attempt: row.attempt - 1 }
        : BACK_TO_PENDING;
    case 'TaskCancelled':
      return finished('cancelled', null, placed.at);
    case 'TaskReprioritised':
      return { priority: event.data.priority };
    case 'TaskCreated':
    case 'TaskRedriven':
      return null;
    default:
      return event satisfies never;
  }
}

/** As created then, but for the numbers of the attempts, which go on. */
function redriven(event: Of<'TaskRedriven'>, at: Placed): TaskRow {
  const { createdAt, attempt } = event.data;
  return { ...created(event, Date.parse(createdAt), at), attempt, redriven_after: attempt };
}

function created(
  { id, project, data }: Of<'TaskCreated' | 'TaskRedriven'>,
  createdAt: number,
  { seq }: Placed,
): TaskRow {
  const runAt = data.runAt === undefined ? null : Date.parse(data.runAt);
  return withReason({
    task_id: id,
    project,
    content: data.content,
    task_type: data.taskType,
    status: 'pending',
    priority: data.priority,
    requirements: data.requirements,
    dependencies: data.dependencies,
    assigned_to: null,
    created_at: createdAt,
    assigned_at: null,
    started_at: null,
    completed_at: null,
    result: null,
    error: null,
    success: null,
    attempt: 0,
    max_attempts: data.maxAttempts,
    retry_count: 0,
    execution_duration_ms: null,
    estimated_duration_ms: data.estimatedDurationMs ?? null,
    run_at: runAt,
    batch_id: data.batchId ?? null,
    metadata: data.metadata ?? null,
    reason: null,
    dead_lettered: false,
    progress: null,
    auto_route: data.autoRoute,
    lease: null,
    session: null,
    waits_for: data.waitsFor,
    ready_reason: runAt === null ? null : 'scheduled',
    cause: null,
    updated_seq: seq,
    options: data.options ?? null,
    schedule: data.schedule ?? null,
    redriven_after: null,
    start_to_close_ms: data.startToCloseMs ?? null,
    exclude_agents: data.excludeAgents ?? [],
  });
}

function blocked(row: TaskRow, { dependency, cause }: Data<'TaskBlocked'>): Change {
  const waits_for = without(row.waits_for, dependency);
  return row.status === 'blocked' ? { waits_for } : { waits_for, status: 'blocked', cause };
}

function reopened(row: TaskRow, { dependency, cause }: Data<'DependencyReopened'>): Change {
  const waits_for = [...without(row.waits_for, dependency), dependency];
  return cause === undefined ? { waits_for, status: 'pending', cause: null } : { waits_for, cause };
}

function assigned(data: Data<'TaskAssigned'>, { partition, rev, index, at }: Placed): Change {
  return {
    status: 'assigned',
    assigned_to: data.agentId,
    session: data.session,
    lease: `${partition.slice(partition.indexOf('.') + 1)}.${rev}.${index}`,
    attempt: data.attempt,
    assigned_at: at,
    started_at: null,
    progress: null,
  };
}

const progressOf = ({ percent, message, output }: Data<'TaskProgressed'>): ProgressReport => ({
  ...(percent === undefined ? {} : { percent }),
  ...(message === undefined ? {} : { message }),
  ...(output === undefined ? {} : { output }),
});

const completed = ({ result, durationMs }: Data<'TaskCompleted'>, at: number): Change => ({
  ...finished('completed', true, at),
  result: result ?? null,
  error: null,
  execution_duration_ms: durationMs,
});

const attemptFailed = (row: TaskRow, { error }: Data<'AttemptFailed'>): Change => ({
  ...BACK_TO_PENDING,
  error,
  retry_count: row.retry_count + 1,
  ready_reason: 'backoff',
});

const failed = (data: Data<'TaskFailed'>, at: number): Change => ({
  ...finished('failed', false, at),
  error: data.error,
  execution_duration_ms: data.durationMs,
  dead_lettered: data.deadLettered,
  reason: failReasonOf(data) ?? null,
});

/** Taken from its holder, if it had one: the lease says nothing any more. */
const expired = (
  row: TaskRow,
  { error, deadLettered, reason }: Data<'TaskExpired'>,
  at: number,
): Change => ({
  ...finished('failed', false, at),
  error,
  dead_lettered: deadLettered,
  reason,
  ...(row.assigned_to === null ? {} : { lease: null }),
});

/** The holder of the last attempt stays in the record of a finished task. */
const finished = (
  status: 'completed' | 'failed' | 'cancelled',
  success: boolean | null,
  at: number,
): Change => ({ status, success, completed_at: at, waits_for: [] });

const BACK_TO_PENDING: Change = {
  status: 'pending',
  assigned_to: null,
  session: null,
  assigned_at: null,
  started_at: null,
  progress: null,
};

const without = (ids: readonly string[], id: string): readonly string[] =>
  ids.filter((other) => other !== id);

const withReason = (row: TaskRow): TaskRow => {
  const reason = reasonOf(row);
  return reason === row.reason ? row : { ...row, reason };
};

/** Why it is not offered or failed, as far as the task itself knows; of a blocked one the cause. */
function reasonOf(row: TaskRow): string | null {
  if (row.status === 'failed') return row.reason;
  if (row.status === 'blocked') return row.cause;
  if (row.status !== 'pending') return null;
  if (row.waits_for.length > 0) return 'dependencies';
  return row.ready_reason ?? (row.auto_route ? null : 'manual');
}
