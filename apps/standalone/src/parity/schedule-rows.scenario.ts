import {
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  previewSchedule,
  resumeSchedule,
  triggerSchedule,
} from '@athena/contracts';
import type { Life } from './life.scenario.js';
import { row } from './row.scenario.js';

const daily = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
const task = { content: { anyName: 1 }, taskType: 'parity', autoRoute: false };

async function schedule(life: Life, paused = false): Promise<{ scheduleId: string }> {
  const scheduleId = life.name('schedule');
  await life.client.call(createSchedule, { scheduleId, ...daily, task, paused });
  return { scheduleId };
}

const unknown = { SCHEDULE_NOT_FOUND: () => ({ scheduleId: 'nobody-made-this' }) };
const bad = { scheduleId: 'no id' };

export const scheduleRows = [
  row(createSchedule, {
    good: (life) => ({
      ...{ scheduleId: life.name('schedule'), every: '7d', task },
      ...{ missedRuns: 'all' as const, overlap: 'skip' as const, endAt: '2099-01-01T00:00:00Z' },
    }),
    bad: { scheduleId: 'both', every: '1h', cron: '0 * * * *', task },
  }),
  row(getSchedule, { good: (life) => schedule(life), bad, refused: unknown }),
  row(listSchedules, {
    whole: true,
    good: async (life) => {
      await schedule(life);
      await schedule(life);
      return { limit: 1 };
    },
    bad: { limit: 0 },
  }),
  row(pauseSchedule, { good: (life) => schedule(life), bad, refused: unknown }),
  row(resumeSchedule, { good: (life) => schedule(life, true), bad, refused: unknown }),
  row(deleteSchedule, { good: (life) => schedule(life), bad }),
  row(triggerSchedule, { good: (life) => schedule(life), bad, refused: unknown }),
  row(previewSchedule, {
    good: () => ({ ...daily, count: 3, from: '2026-03-28T12:00:00Z' }),
    bad: { cron: '61 * * * *' },
  }),
];
