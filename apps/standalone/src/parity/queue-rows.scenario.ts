import {
  pauseQueue,
  pausedQueue,
  reprioritiseTask,
  resumeQueue,
} from '@athena/contracts';
import { UNKNOWN, type Life } from './life.scenario.js';
import { row } from './row.scenario.js';

/** A type of which no other case has tasks. */
async function pausedType(life: Life): Promise<{ taskType: string }> {
  const taskType = life.name('type');
  await life.client.call(pauseQueue, { taskType });
  return { taskType };
}

export const queueRows = [
  row(pauseQueue, {
    whole: true,
    good: (life) => ({ taskType: life.name('type') }),
    bad: { taskType: '' },
  }),
  row(resumeQueue, { whole: true, good: pausedType, bad: { taskType: '' } }),
  row(pausedQueue, {
    whole: true,
    good: async (life) => {
      await pausedType(life);
      return {};
    },
  }),
  row(reprioritiseTask, {
    good: async (life) => ({ taskId: await life.task(), priority: 'high' as const }),
    bad: { taskId: UNKNOWN, priority: 'urgent' },
    refused: {
      TASK_NOT_FOUND: () => ({ taskId: UNKNOWN, priority: 'high' as const }),
      ILLEGAL_TRANSITION: async (life) => ({
        taskId: await life.cancelled(),
        priority: 'high' as const,
      }),
    },
  }),
];
