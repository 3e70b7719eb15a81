import type { Example } from './mcp.scenario.js';

const AT = '2026-07-28T12:00:00.000Z';
const figures = {
  ...{ attempts: 1, completed: 1, failed: 0, lost: 0, successRate: 1, retryRate: 0 },
  ...{ completedPerMinute: null, waitMs: { p50: 1, p95: 1, p99: 1 } },
  runMs: { p50: null, p95: null, p99: null },
};
const figuresTold = {
  ...{ attempts: 1, completed: 1, failed: 0, lost: 0, success_rate: 1, retry_rate: 0 },
  wait_ms: { p50: 1, p95: 1, p99: 1 },
};
const advice = { rule: 'queue_ageing', severity: 'warning', sentence: 'It ages.', action: 'Look.' };

const KEPT = '01890000-0000-8000-8000-000000000009';
const covered = { from: AT, to: AT, tasks: 1, events: 1 };
const kept = { consolidationId: KEPT, at: AT, covered, total: figures };
const keptTold = { consolidation_id: KEPT, at: AT, covered };

/** Of the tools that tell of figures and recommendations. */
export const INSIGHT_EXAMPLES: readonly Example[] = [
  {
    tool: 'get_orchestration_insights',
    args: { task_type: 'myType', window_ms: 60_000 },
    operation: 'insights.get',
    input: { taskType: 'myType', windowMs: 60_000 },
    output: {
      covered: { from: AT, to: AT, tasks: 1, attempts: 1, cut: false },
      total: figures,
      byType: [{ taskType: 'myType', ...figures }],
      byKind: [],
      byTypeAndKind: [{ taskType: 'myType', kind: 'reader', ...figures }],
      overTime: [],
    },
    told: {
      covered: { from: AT, to: AT, tasks: 1, attempts: 1, cut: false },
      total: figuresTold,
      by_type: [{ task_type: 'myType', ...figuresTold }],
    },
  },
  {
    tool: 'get_recommendations',
    args: {},
    operation: 'recommendations.list',
    input: {},
    output: { attempts: 1, recommendations: [{ ...advice, evidence: { oldestMs: 300_000 } }] },
    told: { attempts: 1, recommendations: [advice] },
  },
  {
    tool: 'trigger_consolidation',
    args: { batch_size: 5 },
    operation: 'consolidation.trigger',
    input: { batchSize: 5 },
    output: {
      consolidationId: null,
      covered: { from: AT, to: AT, tasks: 1, events: 1, newEvents: 0 },
      insights: 3,
      recommendations: [],
    },
    told: {
      consolidation_id: null,
      covered: { from: AT, to: AT, tasks: 1, events: 1, new_events: 0 },
      insights: 3,
    },
  },
  {
    tool: 'list_consolidations',
    args: { limit: 5 },
    operation: 'consolidation.list',
    input: { limit: 5 },
    output: {
      consolidations: [{ ...kept, insights: 3, recommendations: 1 }],
      nextCursor: null,
    },
    told: { consolidations: [{ ...keptTold, insights: 3, recommendations: 1 }] },
  },
  {
    tool: 'get_consolidation',
    args: { consolidation_id: KEPT },
    operation: 'consolidation.get',
    input: { consolidationId: KEPT },
    output: {
      ...kept,
      byType: [{ taskType: 'myType', ...figures }],
      byKind: [],
      byTypeAndKind: [{ taskType: 'myType', kind: 'reader', ...figures }],
      recommendations: [{ ...advice, evidence: { oldestMs: 300_000 } }],
    },
    told: {
      ...{ at: AT, covered, total: figuresTold },
      by_type: [{ task_type: 'myType', ...figuresTold }],
      recommendations: [{ ...advice, evidence: { oldestMs: 300_000 } }],
    },
  },
];
