import { defineEvent, type EventOf } from '@athena/operation';
import { z } from 'zod';
import { instant, uuid } from '../schemas.js';
import { missedRuns, overlap, scheduledTask } from './definition.js';

/*
 * Events of schedules, in the partition that keeps them; the event's id is the schedule's. Whoever
 * decides works out when the next run is, so that folding needs no calendar.
 */
const aggregate = 'task';

/** The run that is planned next; absent: there is none. */
const nextAt = instant.optional();

export const scheduleDefined = defineEvent({
  type: 'ScheduleDefined',
  version: 1,
  aggregate,
  summary: 'A schedule was created or replaced.',
  data: z.object({
    every: z.string().optional(),
    cron: z.string().optional(),
    timezone: z.string(),
    task: scheduledTask,
    missedRuns,
    overlap,
    startAt: instant.optional(),
    endAt: instant.optional(),
    paused: z.boolean(),
    nextAt,
  }),
});

export const scheduleFired = defineEvent({
  type: 'ScheduleFired',
  version: 1,
  aggregate,
  summary: 'A run began: its task was created in the same commit.',
  data: z.object({
    plannedAt: instant,
    taskId: uuid,
    /** Runs from this one to `plannedAt` were missed and are not made up for. */
    missedFrom: instant.optional(),
    nextAt,
  }),
});

export const scheduleSkipped = defineEvent({
  type: 'ScheduleSkipped',
  version: 1,
  aggregate,
  summary: 'Runs from `plannedAt` to before `nextAt` do not take place.',
  data: z.object({
    plannedAt: instant,
    /** Nobody was there to start them, or the task of the run before is not finished. */
    reason: z.enum(['missed', 'overlap']),
    nextAt,
  }),
});

export const scheduleTriggered = defineEvent({
  type: 'ScheduleTriggered',
  version: 1,
  aggregate,
  summary: 'Somebody asked for a run now; the planned runs stay as they are.',
  data: z.object({ taskId: uuid }),
});

export const schedulePaused = defineEvent({
  type: 'SchedulePaused',
  version: 1,
  aggregate,
  summary: 'No runs until the schedule is resumed.',
  data: z.object({}),
});

export const scheduleResumed = defineEvent({
  type: 'ScheduleResumed',
  version: 1,
  aggregate,
  summary: 'Runs are planned again, from now on.',
  data: z.object({ nextAt }),
});

export const scheduleDeleted = defineEvent({
  type: 'ScheduleDeleted',
  version: 1,
  aggregate,
  summary: 'The schedule is gone; tasks that it created remain.',
  data: z.object({}),
});

export const scheduleEvents = [
  scheduleDefined,
  scheduleFired,
  scheduleSkipped,
  scheduleTriggered,
  schedulePaused,
  scheduleResumed,
  scheduleDeleted,
] as const;

export type ScheduleEvent = EventOf<(typeof scheduleEvents)[number]>;

const ofSchedules: ReadonlySet<string> = new Set(scheduleEvents.map(({ type }) => type));

export const isOfSchedule = (event: { readonly type: string }): event is ScheduleEvent =>
  ofSchedules.has(event.type);
