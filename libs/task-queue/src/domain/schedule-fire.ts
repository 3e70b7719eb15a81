import { limits } from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import { newAggregateId, type NewEvent } from '@athena/operation';
import { createHash } from 'node:crypto';
import { createdEvent } from './create.js';
import { decided, taskEvent, unchanged } from './decisions.js';
import { lastRuns, recurrenceOf } from './schedule-recurrence.js';
import type { Schedule } from './schedule-state.js';
import type { TaskState } from './state.js';

/*
 * A run is one decision: that its time has come and that its task exists are in one commit, and
 * with them when the next run is. Whoever owns the partition afterwards folds both or neither.
 */

/** Bounds the schedules that fire in one batch; more follow at once. */
const SCHEDULES_PER_BATCH = 500;

/** The earliest planned run that still stands. */
export function nextRunAt(state: TaskState): number | undefined {
  for (;;) {
    const next = state.plannedRuns.peek();
    if (!next || state.schedules.get(next.key)?.nextAt === next.at) return next?.at;
    state.plannedRuns.pop();
  }
}

/** Takes what is due off the plan; deciding it plans whatever comes next. */
export function dueSchedules(state: TaskState, now: number): Command[] {
  const keys = new Set<string>();
  while (keys.size < SCHEDULES_PER_BATCH) {
    const at = nextRunAt(state);
    if (at === undefined || at > now) break;
    keys.add(state.plannedRuns.pop()?.key as string);
  }
  return [...keys].map((key) => ({
    op: 'schedule.fire',
    id: 'schedule.fire',
    project: '',
    actor: 'system:task-queue',
    input: { key },
  }));
}

/** schedule.fire, of the partition's own: the first run that is due; further ones follow. */
export function fireSchedule(state: TaskState, command: Command, context: DecideContext): Decision {
  const { key } = command.input as { key: string };
  const schedule = state.schedules.get(key);
  const from = schedule?.nextAt;
  if (!schedule || from === undefined || from > context.now) return unchanged(null);
  const [first, second] = runsDue(schedule, from, context.now);
  const next = second ?? recurrenceOf(schedule).next(context.now);
  const nextAt = next === undefined ? undefined : iso(next);
  const { project, id } = schedule;
  const skipped = (plannedAt: number, reason: 'missed' | 'overlap'): Decision =>
    decided(
      [taskEvent('ScheduleSkipped', project, id, { plannedAt: iso(plannedAt), reason, nextAt })],
      null,
    );
  if (first === undefined) return skipped(from, 'missed');
  if (schedule.overlap === 'skip' && isRunning(state, schedule)) return skipped(from, 'overlap');
  const taskId = runId(state.partition, schedule, context);
  const missedFrom = first === from ? undefined : iso(from);
  const fired = { plannedAt: iso(first), taskId, missedFrom, nextAt };
  return decided(
    [
      runOf(schedule, { taskId, plannedAt: first }, context.now),
      taskEvent('ScheduleFired', project, id, fired),
    ],
    null,
  );
}

/** Those of the planned runs from `from` to now that take place: on time, or made up for. */
export function runsDue(schedule: Schedule, from: number, now: number): number[] {
  const recurrence = recurrenceOf(schedule);
  const late = now - limits.SCHEDULE_GRACE_MS;
  const onTime = { from: Math.max(from, late), until: now, most: ON_TIME_MAX };
  const missed = { from, until: late - 1, most: MADE_UP_FOR[schedule.missedRuns] };
  return [
    ...(from < late && missed.most > 0 ? lastRuns(recurrence, missed) : []),
    ...lastRuns(recurrence, onTime),
  ];
}

const ON_TIME_MAX = limits.SCHEDULE_GRACE_MS / limits.SCHEDULE_EVERY_MS_MIN + 1;
const MADE_UP_FOR = { skip: 0, one: 1, all: limits.SCHEDULE_MISSED_RUNS_MAX } as const;

/** The task of the last run is not finished. */
const isRunning = ({ tasks }: TaskState, { lastTaskId }: Schedule): boolean =>
  lastTaskId !== undefined && tasks.has(lastTaskId);

/** The event that creates a run's task. */
export function runOf(
  { project, id, task }: Schedule,
  { taskId, plannedAt }: { taskId: string; plannedAt: number | null },
  now: number,
): NewEvent {
  const schedule = { scheduleId: id, plannedAt: plannedAt === null ? null : iso(plannedAt) };
  const item = { id: taskId, task: { ...task, dependencies: [] }, schedule };
  return createdEvent(project, item, { dependencies: [], waitsFor: [] }, now);
}

/** The place of a decision in the log is its own: no two runs have it. */
function runId(partition: number, { project, id }: Schedule, context: DecideContext): string {
  const { now, rev, index } = context;
  const name = `${project}/${id}/${rev}.${index}`;
  return newAggregateId(now, partition, createHash('sha256').update(name).digest());
}

const iso = (ms: number): string => new Date(ms).toISOString();
