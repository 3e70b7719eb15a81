import {
  SCHEDULE_NOT_FOUND,
  TOO_MANY_SCHEDULES,
  limits,
  type ScheduleRecord,
  type createSchedule as createOperation,
  type previewSchedule as previewOperation,
} from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import type { Input, NewEvent } from '@athena/operation';
import { knownById } from './create.js';
import { decided, refused, taskEvent, unchanged } from './decisions.js';
import { runOf } from './schedule-fire.js';
import { nextRuns, recurrenceFlaw, recurrenceOf } from './schedule-recurrence.js';
import { scheduleKey, type Schedule } from './schedule-state.js';
import type { TaskState } from './state.js';

/* Schedules of all projects are kept by the first partition, which creates their tasks too. */

type Decide = (state: TaskState, command: Command, context: DecideContext) => Decision;
type Definition = Input<typeof createOperation>;

/** schedule.create */
export function createSchedule(
  state: TaskState,
  { project, input }: Command,
  { now }: DecideContext,
): Decision {
  const { scheduleId, paused, ...definition } = input as Definition;
  const before = state.schedules.get(scheduleKey(project, scheduleId));
  if (before && JSON.stringify(definitionOf(before)) === JSON.stringify(normal(definition))) {
    const { events, nextAt } = switched(before, paused ?? before.paused, now);
    return decided(events, { scheduleId, created: false, nextRunAt: iso(nextAt) });
  }
  if (!before && (state.schedulesOf.get(project)?.size ?? 0) >= limits.SCHEDULES_PER_PROJECT_MAX) {
    return refused(TOO_MANY_SCHEDULES, `there are ${limits.SCHEDULES_PER_PROJECT_MAX}`);
  }
  const { every, cron, timezone, startAt, endAt } = normal(definition);
  const fields = { every, cron, timezone, anchor: startAt ?? now, endAt };
  const flaw = recurrenceFlaw(fields, now);
  if (flaw) return { refusal: flaw };
  const isPaused = paused ?? before?.paused ?? false;
  const nextAt = isPaused ? undefined : (iso(recurrenceOf(fields).next(now)) ?? undefined);
  const data = { ...definition, paused: isPaused, nextAt };
  const answer = { scheduleId, created: !before, nextRunAt: nextAt ?? null };
  return decided([taskEvent('ScheduleDefined', project, scheduleId, data)], answer);
}

/** The definition in the form that the state has. */
const normal = (definition: Omit<Definition, 'scheduleId' | 'paused'>) => ({
  every: definition.every,
  cron: definition.cron,
  timezone: definition.timezone,
  task: definition.task,
  missedRuns: definition.missedRuns,
  overlap: definition.overlap,
  startAt: definition.startAt === undefined ? undefined : Date.parse(definition.startAt),
  endAt: definition.endAt === undefined ? undefined : Date.parse(definition.endAt),
});

const definitionOf = (schedule: Schedule): ReturnType<typeof normal> => ({
  every: schedule.every,
  cron: schedule.cron,
  timezone: schedule.timezone,
  task: schedule.task,
  missedRuns: schedule.missedRuns,
  overlap: schedule.overlap,
  startAt: schedule.startAt,
  endAt: schedule.endAt,
});

/** schedule.pause */
export const pauseSchedule: Decide = (state, command, context) =>
  found(state, command, (schedule) => runOrPause(schedule, true, context));

/** schedule.resume */
export const resumeSchedule: Decide = (state, command, context) =>
  found(state, command, (schedule) => runOrPause(schedule, false, context));

function runOrPause(schedule: Schedule, paused: boolean, { now }: DecideContext): Decision {
  const { events, nextAt } = switched(schedule, paused, now);
  return decided(events, { scheduleId: schedule.id, paused, nextRunAt: iso(nextAt) });
}

interface Switched {
  readonly events: readonly NewEvent[];
  readonly nextAt: number | undefined;
}

function switched(schedule: Schedule, paused: boolean, now: number): Switched {
  const { project, id } = schedule;
  if (schedule.paused === paused) return { events: [], nextAt: schedule.nextAt };
  if (paused) {
    return { events: [taskEvent('SchedulePaused', project, id, {})], nextAt: undefined };
  }
  const nextAt = recurrenceOf(schedule).next(now);
  const data = { nextAt: iso(nextAt) ?? undefined };
  return { events: [taskEvent('ScheduleResumed', project, id, data)], nextAt };
}

/** schedule.delete */
export function deleteSchedule(state: TaskState, { project, input }: Command): Decision {
  const { scheduleId } = input as { scheduleId: string };
  const deleted = state.schedules.has(scheduleKey(project, scheduleId));
  const events: NewEvent[] = [];
  if (deleted) events.push(taskEvent('ScheduleDeleted', project, scheduleId, {}));
  return decided(events, { scheduleId, deleted });
}

/** schedule.trigger: the command's id is that of the task. */
export const triggerSchedule: Decide = (state, command, context) =>
  found(state, command, (schedule) => {
    const { id: taskId, project } = command;
    const answer = { scheduleId: schedule.id, taskId };
    const known = knownById(state, taskId, context);
    if (known && 'needs' in known) return known;
    if (known) return unchanged(answer);
    const created = runOf(schedule, { taskId, plannedAt: null }, context.now);
    const triggered = taskEvent('ScheduleTriggered', project, schedule.id, { taskId });
    return decided([created, triggered], answer);
  });

/** schedule.get */
export const getSchedule: Decide = (state, command) =>
  found(state, command, (schedule) => {
    const { nextAt } = schedule;
    const coming =
      nextAt === undefined
        ? []
        : nextRuns(recurrenceOf(schedule), nextAt - 1, limits.SCHEDULE_NEXT_RUNS);
    return unchanged({ ...recordOf(schedule), nextRuns: coming.map(isoOf) });
  });

/** schedule.list */
export function listSchedules(state: TaskState, { project, input }: Command): Decision {
  const { limit, cursor = '' } = input as { limit: number; cursor?: string };
  const ids = [...(state.schedulesOf.get(project) ?? [])].filter((id) => id > cursor).sort();
  const schedules: ScheduleRecord[] = [];
  let bytes = 0;
  for (const id of ids) {
    if (schedules.length >= limit || bytes >= limits.SCHEDULE_PAGE_BYTES) break;
    const record = recordOf(state.schedules.get(scheduleKey(project, id)) as Schedule);
    bytes += Buffer.byteLength(JSON.stringify(record));
    schedules.push(record);
  }
  const nextCursor = schedules.length < ids.length ? (schedules.at(-1)?.scheduleId ?? null) : null;
  return unchanged({ schedules, nextCursor });
}

/** schedule.preview */
export function previewSchedule(
  _: TaskState,
  { input }: Command,
  context: DecideContext,
): Decision {
  const { count, from, ...recurrence } = input as Input<typeof previewOperation>;
  // Calendars of before 1970 are nobody's plan.
  const after = from === undefined ? context.now : Math.max(0, Date.parse(from));
  const fields = { ...recurrence, anchor: after };
  const flaw = recurrenceFlaw(fields, after);
  if (flaw) return { refusal: flaw };
  return unchanged({ runs: nextRuns(recurrenceOf(fields), after, count).map(isoOf) });
}

function found(
  { schedules }: TaskState,
  { project, input }: Command,
  decide: (schedule: Schedule) => Decision,
): Decision {
  const { scheduleId } = input as { scheduleId: string };
  const schedule = schedules.get(scheduleKey(project, scheduleId));
  if (schedule) return decide(schedule);
  return refused(SCHEDULE_NOT_FOUND, `no schedule ${scheduleId} in ${project}`, 'scheduleId');
}

const recordOf = (schedule: Schedule): ScheduleRecord => ({
  scheduleId: schedule.id,
  every: schedule.every ?? null,
  cron: schedule.cron ?? null,
  timezone: schedule.timezone,
  task: schedule.task,
  missedRuns: schedule.missedRuns,
  overlap: schedule.overlap,
  startAt: iso(schedule.startAt),
  endAt: iso(schedule.endAt),
  paused: schedule.paused,
  createdAt: isoOf(schedule.createdAt),
  definedAt: isoOf(schedule.definedAt),
  nextRunAt: iso(schedule.nextAt),
  lastRunAt: iso(schedule.lastRunAt),
  lastTaskId: schedule.lastTaskId ?? null,
  runs: schedule.runs,
});

const isoOf = (ms: number): string => new Date(ms).toISOString();
const iso = (ms: number | undefined): string | null => (ms === undefined ? null : isoOf(ms));
