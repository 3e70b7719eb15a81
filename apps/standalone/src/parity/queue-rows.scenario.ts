import {
  bulkStatus,
  bulkTasks,
  pauseQueue,
  pausedQueue,
  reprioritiseTask,
  resumeQueue,
} from '@athena/contracts';
import { until } from '@athena/testing';
import { UNKNOWN, type Life } from './life.scenario.js';
import { row } from './row.scenario.js';

/** A type of which no other case has tasks. */
async function pausedType(life: Life): Promise<{ taskType: string }> {
  const taskType = life.name('type');
  await life.client.call(pauseQueue, { taskType });
  return { taskType };
}

async function batch(life: Life): Promise<{ batchId: string }> {
  const batchId = life.name('batch');
  for (let n = 0; n < 2; n++) await life.task({ batchId });
  return { batchId };
}

async function bulkDone(life: Life): Promise<string> {
  const asked = { action: 'cancel', filter: await batch(life) } as const;
  const { bulkId } = await life.client.call(bulkTasks, asked);
  const id = life.remember('bulk', bulkId ?? '');
  const state = async () => (await life.client.call(bulkStatus, { bulkId: id })).state;
  await until(async () => (await state()) === 'done', 'the bulk operation is done');
  return id;
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
  row(bulkTasks, {
    good: async (life) => ({
      ...{ action: 'reprioritise' as const, priority: 'high' as const },
      ...{ filter: await batch(life), dryRun: true },
    }),
    bad: { action: 'reprioritise', filter: {} },
  }),
  row(bulkStatus, {
    good: async (life) => ({ bulkId: await bulkDone(life) }),
    bad: { bulkId: 'nonsense' },
    refused: { BULK_NOT_FOUND: () => ({ bulkId: UNKNOWN }) },
  }),
];
