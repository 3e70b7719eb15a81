import type { ClaimedTask, TaskRecord } from '@athena/contracts';
import type { DataOf } from './decisions.js';
import type { FinishedTask, Task } from './state.js';

const iso = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();

/** Why a failed task gets no further attempt; undefined: its error was not to be retried. */
export const failReasonOf = ({ deadLettered, reason }: DataOf<'TaskFailed'>): string | undefined =>
  deadLettered ? (reason ?? 'max_attempts') : undefined;

/** Why a task is not offered, as far as the task itself knows; of a blocked one the cause. */
export function reasonOf(task: Task): string | null {
  if (task.status === 'blocked') return task.cause ?? null;
  if (task.status === 'failed') return task.failReason ?? null;
  if (task.status !== 'pending') return null;
  if (task.waitsFor.length > 0) return 'dependencies';
  if (task.readyAt !== undefined) return task.readyReason ?? 'scheduled';
  return task.autoRoute ? null : 'manual';
}

/** The task as every surface shows it. */
export function recordOf(task: Task): TaskRecord {
  const { holder, status } = task;
  const finished = task.completedAt !== undefined;
  return {
    taskId: task.id,
    content: task.content,
    taskType: task.taskType,
    status,
    priority: task.priority,
    requirements: [...task.requirements],
    dependencies: [...task.dependencies],
    assignedTo: holder?.agentId ?? null,
    createdAt: new Date(task.createdAt).toISOString(),
    assignedAt: iso(holder?.assignedAt),
    startedAt: iso(holder?.startedAt),
    completedAt: iso(task.completedAt),
    result: task.result ?? null,
    error: task.error ?? null,
    success: finished && status !== 'cancelled' ? status === 'completed' : null,
    attempt: task.attempt,
    maxAttempts: task.maxAttempts,
    retryCount: task.retryCount,
    redrivenAfter: task.redrivenAfter ?? null,
    executionDurationMs: task.durationMs ?? null,
    estimatedDurationMs: task.estimatedDurationMs ?? null,
    runAt: iso(task.runAt),
    startToCloseMs: task.startToCloseMs ?? null,
    excludeAgents: [...(task.excludeAgents ?? [])],
    batchId: task.batchId ?? null,
    metadata: task.metadata ?? null,
    reason: reasonOf(task),
    deadLettered: task.deadLettered ?? false,
    progress: task.progress ?? null,
    autoRoute: task.autoRoute,
    options: task.options ?? null,
    schedule: task.schedule ?? null,
  };
}

/** The task as its holder gets it. */
export function claimedTaskOf(task: Task): ClaimedTask {
  const { holder } = task;
  if (!holder) throw new Error(`task ${task.id} has no holder`);
  return {
    taskId: task.id,
    attempt: task.attempt,
    lease: holder.lease,
    leaseUntil: new Date(holder.startBy).toISOString(),
    content: task.content,
    taskType: task.taskType,
    priority: task.priority,
    requirements: [...task.requirements],
    metadata: task.metadata ?? null,
  };
}

export const finishedOf = (task: Task): FinishedTask => ({
  project: task.project,
  record: recordOf(task),
  lease: task.endedLease ?? null,
});
