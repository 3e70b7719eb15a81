import { ILLEGAL_TRANSITION, type TaskOptions, type TaskRecord } from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import type { NewEvent } from '@athena/operation';
import { findDependencies, hopelessFrom } from './create.js';
import { decided, locate, refused, taskEvent, unchanged } from './decisions.js';
import type { TaskState } from './state.js';

/**
 * task.redrive: a failed or cancelled task is as it was when it was created, but for the numbers
 * of its attempts, which go on. Where it was redriven already and has not ended again, it stays.
 */
export function redriveTask(state: TaskState, command: Command, context: DecideContext): Decision {
  const located = locate(state, command, context);
  if ('decision' in located) return located.decision;
  if ('live' in located) {
    const { id, status, redrivenAfter } = located.live;
    return redrivenAfter === undefined ? illegal(id, status) : unchanged({ taskId: id, status });
  }
  const { project, record } = located.finished;
  const { taskId, options, dependencies } = record;
  if (record.status === 'completed') return illegal(taskId, record.status);
  const found = findDependencies(state, project, dependencies, context);
  if ('refusal' in found || 'needs' in found) return found;
  const task = { id: taskId, project, options: options ?? undefined };
  const { failures, status } = hopelessFrom(task, found.failed);
  if (status === 'cancelled') {
    const { dependency } = found.failed[0] as { dependency: string };
    return refused(ILLEGAL_TRANSITION, `task ${taskId} needs ${dependency}: redrive that first`);
  }
  const redriven = redrivenEvent(project, record, found.waitsFor, context.now);
  return decided([redriven, ...failures], { taskId, status });
}

const illegal = (taskId: string, status: string): Decision =>
  refused(
    ILLEGAL_TRANSITION,
    `task ${taskId} is ${status}: only failed or cancelled ones run again`,
  );

function redrivenEvent(
  project: string,
  record: TaskRecord,
  waitsFor: string[],
  now: number,
): NewEvent {
  const { attempt, maxAttempts, redrivenAfter, excludeAgents, runAt } = record;
  return taskEvent('TaskRedriven', project, record.taskId, {
    content: record.content,
    taskType: record.taskType,
    priority: record.priority,
    requirements: record.requirements,
    dependencies: record.dependencies,
    waitsFor,
    maxAttempts: attempt + maxAttempts - (redrivenAfter ?? 0),
    autoRoute: record.autoRoute,
    runAt: runAt !== null && Date.parse(runAt) > now ? runAt : undefined,
    startToCloseMs: record.startToCloseMs ?? undefined,
    estimatedDurationMs: record.estimatedDurationMs ?? undefined,
    batchId: record.batchId ?? undefined,
    metadata: record.metadata ?? undefined,
    excludeAgents: excludeAgents.length > 0 ? excludeAgents : undefined,
    options: optionsAt(record.options, now),
    schedule: record.schedule ?? undefined,
    createdAt: record.createdAt,
    attempt,
  });
}

/** Instants that have passed would end the task at once: they fall away. */
function optionsAt(options: TaskOptions | null, now: number): TaskOptions | undefined {
  if (!options) return undefined;
  const { retryUntil, deadline, ...lasting } = options;
  return {
    ...lasting,
    ...(retryUntil !== undefined && Date.parse(retryUntil) > now ? { retryUntil } : {}),
    ...(deadline !== undefined && Date.parse(deadline) > now ? { deadline } : {}),
  };
}
