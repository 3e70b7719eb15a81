import type { ScheduleEvent, ScheduledTask } from '@athena/contracts';
import type { RecurrenceFields } from './schedule-recurrence.js';
import { addTo, removeFrom, type TaskState } from './state.js';

/** A schedule as its partition knows it; plain JSON. Instants are milliseconds. */
export interface Schedule extends RecurrenceFields {
  readonly id: string;
  readonly project: string;
  readonly task: ScheduledTask;
  readonly missedRuns: 'skip' | 'one' | 'all';
  readonly overlap: 'allow' | 'skip';
  readonly startAt?: number | undefined;
  readonly createdAt: number;
  readonly definedAt: number;
  paused: boolean;
  /** The next run; undefined: paused, or there is none. */
  nextAt: number | undefined;
  lastRunAt: number | undefined;
  lastTaskId: string | undefined;
  runs: number;
}

/** A run that is planned, unless the schedule says otherwise by then. */
export interface DueRun {
  readonly at: number;
  readonly key: string;
}

/** A schedule's key in the table; no id holds a slash. */
export const scheduleKey = (project: string, id: string): string => `${project}/${id}`;

export function evolveSchedule(state: TaskState, event: ScheduleEvent, at: number): void {
  const key = scheduleKey(event.project, event.id);
  if (event.type === 'ScheduleDefined') return define(state, event, at);
  const schedule = state.schedules.edit(key);
  if (!schedule) return;
  switch (event.type) {
    case 'ScheduleFired':
      schedule.lastRunAt = Date.parse(event.data.plannedAt);
      ran(schedule, event.data.taskId);
      return plan(state, schedule, event.data.nextAt);
    case 'ScheduleSkipped':
      return plan(state, schedule, event.data.nextAt);
    case 'ScheduleTriggered':
      return ran(schedule, event.data.taskId);
    case 'SchedulePaused':
      schedule.paused = true;
      return plan(state, schedule, undefined);
    case 'ScheduleResumed':
      schedule.paused = false;
      return plan(state, schedule, event.data.nextAt);
    case 'ScheduleDeleted':
      state.schedules.delete(key);
      return removeFrom(state.schedulesOf, event.project, event.id);
    default:
      return event satisfies never;
  }
}

function define(
  state: TaskState,
  { project, id, data }: Extract<ScheduleEvent, { type: 'ScheduleDefined' }>,
  at: number,
): void {
  const key = scheduleKey(project, id);
  const before = state.schedules.get(key);
  const startAt = instant(data.startAt);
  const schedule: Schedule = {
    id,
    project,
    every: data.every,
    cron: data.cron,
    timezone: data.timezone,
    anchor: startAt ?? at,
    task: data.task,
    missedRuns: data.missedRuns,
    overlap: data.overlap,
    startAt,
    endAt: instant(data.endAt),
    createdAt: before?.createdAt ?? at,
    definedAt: at,
    paused: data.paused,
    nextAt: undefined,
    lastRunAt: before?.lastRunAt,
    lastTaskId: before?.lastTaskId,
    runs: before?.runs ?? 0,
  };
  state.schedules.set(key, schedule);
  addTo(state.schedulesOf, project, id);
  plan(state, schedule, data.nextAt);
}

function ran(schedule: Schedule, taskId: string): void {
  schedule.lastTaskId = taskId;
  schedule.runs++;
}

function plan(state: TaskState, schedule: Schedule, nextAt: string | undefined): void {
  schedule.nextAt = instant(nextAt);
  planRun(state, schedule);
}

export function planRun({ plannedRuns }: TaskState, { project, id, nextAt }: Schedule): void {
  if (nextAt !== undefined) plannedRuns.push({ at: nextAt, key: scheduleKey(project, id) });
}

const instant = (iso: string | undefined): number | undefined =>
  iso === undefined ? undefined : Date.parse(iso);
