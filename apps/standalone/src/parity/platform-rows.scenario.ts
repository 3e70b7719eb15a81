import {
  createKey,
  createProject,
  eventTimeline,
  getConsolidation,
  getInsights,
  getPartitions,
  growPartitions,
  listConsolidations,
  listKeys,
  listProjections,
  listRecommendations,
  rebuildProjection,
  revokeKey,
  rollbackProjection,
  routeTask,
  routingStats,
  systemHealth,
  triggerConsolidation,
  verifyLog,
} from '@athena/contracts';
import { UNKNOWN, type Life } from './life.scenario.js';
import { row } from './row.scenario.js';
import { NOT_YET } from './task-rows.scenario.js';

const SCOPES: ['agent'] = ['agent'];

async function kept(life: Life): Promise<string> {
  await life.completed();
  const { consolidationId } = await life.client.call(triggerConsolidation, {});
  return life.remember('consolidation', consolidationId ?? '');
}

const newKey = async ({ neighbour }: Life): Promise<string> =>
  (await neighbour.call(createKey, { name: 'to be revoked', scopes: ['agent'] })).keyId;

export const platformRows = [
  row(routeTask, {
    good: async (life) => {
      const capability = life.name('skill');
      const [one, other] = [await life.agent(capability), await life.agent(capability)];
      await life.assigned(one);
      return { task: { requirements: [capability] }, excludeAgents: [other] };
    },
    bad: { taskId: 'nonsense' },
    refused: { TASK_NOT_FOUND: () => ({ taskId: UNKNOWN }) },
    mcp: 'route_task',
  }),
  row(routingStats, {
    whole: true,
    good: async (life) => {
      await life.task({ requirements: ['flying'], autoRoute: true });
      return {};
    },
    mcp: 'get_routing_stats',
  }),
  row(getInsights, {
    whole: true,
    good: async (life) => {
      await life.completed();
      return { taskType: 'parity', minSeq: life.seq };
    },
    bad: { windowMs: 0 },
    refused: { NOT_CAUGHT_UP: () => ({ minSeq: NOT_YET }) },
    mcp: 'get_orchestration_insights',
  }),
  row(listRecommendations, {
    whole: true,
    good: async (life) => {
      for (let n = 0; n < 10; n++) await life.task({ requirements: ['scarce'], autoRoute: true });
      return { minSeq: life.seq };
    },
    bad: { windowMs: 0 },
    refused: { NOT_CAUGHT_UP: () => ({ minSeq: NOT_YET }) },
    mcp: 'get_recommendations',
  }),
  row(triggerConsolidation, {
    whole: true,
    good: async (life) => {
      await life.completed();
      return { batchSize: 2 };
    },
    bad: { batchSize: 0 },
    mcp: 'trigger_consolidation',
  }),
  row(listConsolidations, {
    whole: true,
    good: async (life) => {
      await kept(life);
      return { limit: 1 };
    },
    bad: { limit: 0 },
    mcp: 'list_consolidations',
  }),
  row(getConsolidation, {
    whole: true,
    good: async (life) => ({ consolidationId: await kept(life) }),
    bad: { consolidationId: 'nonsense' },
    refused: { CONSOLIDATION_NOT_FOUND: () => ({ consolidationId: UNKNOWN }) },
    mcp: 'get_consolidation',
  }),
  row(eventTimeline, {
    good: async (life) => ({
      ...{ aggregateId: await life.completed(), order: 'desc' as const, limit: 3 },
      minSeq: life.seq,
    }),
    bad: { since: 'yesterday' },
    refused: { NOT_CAUGHT_UP: () => ({ minSeq: NOT_YET }) },
  }),
  row(verifyLog, {
    good: () => ({ from: 1, to: 1 }),
    bad: { partition: 'task' },
  }),
  row(listProjections, { good: () => ({}) }),
  row(rebuildProjection, {
    bad: { name: 'no name' },
    refused: {
      PROJECTION_NOT_FOUND: () => ({ name: 'nothing' }),
      PROJECTION_NOT_REBUILDABLE: () => ({ name: 'episodic_events' }),
    },
  }),
  row(rollbackProjection, {
    bad: { name: 'no name' },
    refused: {
      PROJECTION_NOT_FOUND: () => ({ name: 'nothing' }),
      PROJECTION_NOT_REBUILDABLE: () => ({ name: 'episodic_events' }),
      NO_PREVIOUS_PROJECTION: () => ({ name: 'tasks' }),
    },
  }),
  row(getPartitions, { good: () => ({}) }),
  row(growPartitions, { good: () => ({ partitions: 1 }), bad: { partitions: 0 } }),
  row(createKey, {
    good: (life) => ({ name: life.name('key'), scopes: SCOPES }),
    bad: { name: 'x', scopes: ['everything'] },
    refused: {
      FORBIDDEN: () => ({ name: 'x', scopes: SCOPES, project: 'default' }),
      PROJECT_NOT_FOUND: {
        as: 'root',
        given: () => ({ name: 'x', scopes: SCOPES, project: 'nowhere' }),
      },
    },
  }),
  row(listKeys, { whole: true, good: () => ({}) }),
  row(revokeKey, {
    good: async (life) => ({ keyId: await newKey(life) }),
    bad: { keyId: 'no id' },
    refused: {
      FORBIDDEN: ({ keyId }) => ({ keyId }),
      KEY_NOT_FOUND: () => ({ keyId: 'no-such-key' }),
    },
  }),
  row(createProject, {
    as: 'root',
    good: ({ project }) => ({ project: `${project}-more` }),
    bad: { project: 'no id' },
    refused: {
      FORBIDDEN: { as: 'own', given: ({ project }) => ({ project: `${project}-own` }) },
      RESERVED_NAME: () => ({ project: 'system' }),
    },
  }),
  row(systemHealth, { good: () => ({}), mcp: 'get_health' }),
];
