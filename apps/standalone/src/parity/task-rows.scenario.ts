import {
  assignTask,
  cancelTask,
  completeTask,
  createTask,
  createTasks,
  dispatchTask,
  explainTask,
  failTask,
  getTask,
  heartbeatTask,
  listAttempts,
  listTaskEvents,
  progressTask,
  countTasks,
  queryTasks,
  queueMetrics,
  redriveTask,
  startTask,
} from '@athena/contracts';
import { UNKNOWN, type Life } from './life.scenario.js';
import { row } from './row.scenario.js';

const task = { content: { anyName: [], other_name: 1 }, taskType: 'parity', autoRoute: false };
const NONSENSE = 'nonsense';
/** Beyond every position. */
export const NOT_YET = 2 ** 40;

/** A key that was used for another task. */
async function usedKey(life: Life): Promise<string> {
  const idempotencyKey = life.name('key');
  await life.task({ idempotencyKey });
  return idempotencyKey;
}

/** What every report about an attempt is refused for. */
const reportRefusals = <M extends object>(more: M) => ({
  TASK_NOT_FOUND: () => ({ taskId: UNKNOWN, ...more }),
  STALE_LEASE: async (life: Life) => ({ taskId: await life.assigned(), lease: 'no', ...more }),
  TASK_CANCELLED: async (life: Life) => ({ ...(await life.calledOff()), ...more }),
  ILLEGAL_TRANSITION: async (life: Life) => ({ taskId: await life.task(), ...more }),
});

const LONG_AGO = '2020-01-01T00:00:00Z';

export const taskRows = [
  row(createTask, {
    good: () => ({
      ...task,
      requirements: ['add', 'carry'],
      priority: 'high' as const,
      metadata: { aB: 1 },
    }),
    bad: { ...task, taskType: '' },
    refused: {
      UNKNOWN_DEPENDENCY: () => ({ ...task, dependencies: [UNKNOWN] }),
      CONTRADICTORY_TIMES: () => ({ ...task, deadline: LONG_AGO }),
      IDEMPOTENCY_MISMATCH: async (life) => ({
        ...{ ...task, taskType: 'another' },
        idempotencyKey: await usedKey(life),
      }),
    },
    mcp: 'create_task',
  }),
  row(createTasks, {
    good: () => ({
      tasks: [
        { ...task, ref: 'first' },
        { ...task, dependencies: [{ ref: 'first' }] },
      ],
    }),
    bad: { tasks: [task, { ...task, maxAttempts: 0 }] },
    within: {
      CONTRADICTORY_TIMES: () => ({ tasks: [task, { ...task, deadline: LONG_AGO }] }),
      UNKNOWN_DEPENDENCY: () => ({ tasks: [task, { ...task, dependencies: [{ ref: 'no' }] }] }),
      DEPENDENCY_CYCLE: () => ({ tasks: [{ ...task, ref: 'me', dependencies: [{ ref: 'me' }] }] }),
      DEPENDENCY_REFUSED: () => ({
        tasks: [
          { ...task, ref: 'first', dependencies: [{ ref: 'no' }] },
          { ...task, dependencies: [{ ref: 'first' }] },
        ],
      }),
      IDEMPOTENCY_MISMATCH: async ({ client }) => {
        const idempotencyKey = 'used-for-a-batch';
        await client.call(createTasks, { tasks: [task], idempotencyKey });
        return { tasks: [{ ...task, taskType: 'another' }], idempotencyKey };
      },
    },
    mcp: {
      tool: 'create_tasks',
      tells: ({ taskIds, results, seq }) => ({
        taskIds,
        refusals: results.flatMap((one, index) =>
          'refusal' in one ? [{ index, ...one.refusal }] : [],
        ),
        seq,
      }),
    },
  }),
  row(dispatchTask, {
    good: async (life) => {
      const capability = life.name('skill');
      await life.agent(capability);
      return { task: { ...task, requirements: [capability] } };
    },
    bad: { task: { ...task, priority: 'urgent' } },
    refused: {
      CONTRADICTORY_TIMES: () => ({ task: { ...task, deadline: LONG_AGO } }),
      UNKNOWN_DEPENDENCY: () => ({ task: { ...task, dependencies: [UNKNOWN] } }),
      IDEMPOTENCY_MISMATCH: async (life) => ({
        task: { ...task, taskType: 'another', idempotencyKey: await usedKey(life) },
      }),
    },
    mcp: 'dispatch_task',
  }),
  row(getTask, {
    good: async (life) => ({ taskId: await life.completed() }),
    bad: { taskId: NONSENSE },
    refused: { TASK_NOT_FOUND: () => ({ taskId: UNKNOWN }) },
    mcp: 'get_task_status',
  }),
  row(queryTasks, {
    good: async (life) => {
      const batchId = life.name('batch');
      const [low, high] = ['low', 'high'] as const;
      const metadata = { goal: 'a=b', pages: 3 };
      for (const priority of [low, high, low]) await life.task({ batchId, priority, metadata });
      return {
        batchId,
        status: ['pending' as const, 'running' as const],
        priority: low,
        metadata: ['goal=a=b', 'pages=3'],
        sort: 'priority' as const,
        order: 'asc' as const,
        limit: 1,
        minSeq: life.seq,
      };
    },
    bad: { metadata: ['no value'] },
    refused: { NOT_CAUGHT_UP: () => ({ minSeq: NOT_YET }) },
    mcp: 'query_tasks',
  }),
  row(countTasks, {
    good: async (life) => {
      const batchId = life.name('batch');
      for (const content of ['read this', 'read "that"']) await life.task({ batchId, content });
      return { batchId, text: 'read -this', minSeq: life.seq };
    },
    bad: { status: ['pending', 'neither'] },
    refused: { NOT_CAUGHT_UP: () => ({ minSeq: NOT_YET }) },
  }),
  row(assignTask, {
    good: async (life) => ({ taskId: await life.task(), agentId: await life.agent() }),
    bad: { taskId: UNKNOWN, agentId: 'no agent' },
    refused: {
      TASK_NOT_FOUND: async (life) => ({ taskId: UNKNOWN, agentId: await life.agent() }),
      AGENT_NOT_FOUND: async (life) => ({ taskId: await life.task(), agentId: 'nobody' }),
      ALREADY_ASSIGNED: async (life) => ({
        taskId: await life.assigned(),
        agentId: await life.agent(),
      }),
      NOT_ASSIGNABLE: async (life) => ({
        taskId: await life.task({ requirements: ['flying'] }),
        agentId: await life.agent(),
      }),
      ILLEGAL_TRANSITION: async (life) => ({
        taskId: await life.cancelled(),
        agentId: await life.agent(),
      }),
    },
    mcp: 'assign_task',
  }),
  row(startTask, {
    good: async (life) => ({ taskId: await life.assigned() }),
    bad: { taskId: UNKNOWN, lease: '' },
    refused: reportRefusals({}),
    mcp: 'start_task',
  }),
  row(heartbeatTask, {
    good: async (life) => ({ taskId: await life.assigned() }),
    bad: { taskId: NONSENSE },
    refused: reportRefusals({}),
  }),
  row(progressTask, {
    good: async (life) => ({
      taskId: await life.assigned(),
      percent: 12.5,
      message: 'on it',
      output: { some_name: [1] },
      log: ['one', 'two'],
    }),
    bad: { taskId: UNKNOWN, percent: 101 },
    refused: reportRefusals({ percent: 1 }),
  }),
  row(completeTask, {
    good: async (life) => ({
      taskId: await life.assigned(),
      result: { theAnswer: 42, empty_list: [] },
      metrics: { durationMs: 5 },
    }),
    bad: { taskId: UNKNOWN, metrics: { durationMs: -1 } },
    refused: reportRefusals({ result: 1 }),
    mcp: 'complete_task',
  }),
  row(failTask, {
    good: async (life) => ({ taskId: await life.assigned(), error: 'broken', shouldRetry: false }),
    bad: { taskId: UNKNOWN, error: { message: 'broken', code: 'x'.repeat(200) } },
    refused: reportRefusals({ error: { message: 'broken' } }),
    mcp: 'fail_task',
  }),
  row(cancelTask, {
    good: async (life) => ({ taskId: await life.task(), reason: 'enough' }),
    bad: { taskId: UNKNOWN, reason: 'x'.repeat(1_001) },
    refused: {
      TASK_NOT_FOUND: () => ({ taskId: UNKNOWN }),
      ILLEGAL_TRANSITION: async (life) => ({ taskId: await life.completed() }),
    },
    mcp: 'cancel_task',
  }),
  row(redriveTask, {
    good: async (life) => ({ taskId: await life.cancelled() }),
    bad: { taskId: NONSENSE },
    refused: {
      TASK_NOT_FOUND: () => ({ taskId: UNKNOWN }),
      ILLEGAL_TRANSITION: async (life) => ({ taskId: await life.completed() }),
    },
  }),
  row(explainTask, {
    good: async (life) => ({ taskId: await life.assigned() }),
    bad: { taskId: NONSENSE },
    refused: { TASK_NOT_FOUND: () => ({ taskId: UNKNOWN }) },
    mcp: 'explain_task',
  }),
  row(listAttempts, {
    good: async (life) => ({ taskId: await life.completed(), minSeq: life.seq }),
    bad: { taskId: NONSENSE },
    refused: {
      TASK_NOT_FOUND: () => ({ taskId: UNKNOWN }),
      NOT_CAUGHT_UP: () => ({ taskId: UNKNOWN, minSeq: NOT_YET }),
    },
  }),
  row(listTaskEvents, {
    good: async (life) => ({ taskId: await life.completed(), minSeq: life.seq }),
    bad: { taskId: UNKNOWN, minSeq: -1 },
    refused: {
      TASK_NOT_FOUND: () => ({ taskId: UNKNOWN }),
      NOT_CAUGHT_UP: () => ({ taskId: UNKNOWN, minSeq: NOT_YET }),
    },
  }),
  row(queueMetrics, {
    whole: true,
    good: async (life) => {
      await life.completed();
      return { minSeq: life.seq };
    },
    bad: { minSeq: -1 },
    refused: { NOT_CAUGHT_UP: () => ({ minSeq: NOT_YET }) },
    mcp: 'get_queue_metrics',
  }),
];
