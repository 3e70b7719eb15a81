import {
  agentHealth,
  assignTask,
  cancelTask,
  completeTask,
  createTask,
  createTasks,
  deregisterAgent,
  dispatchTask,
  explainTask,
  failTask,
  findAgents,
  fleetStatistics,
  getAgent,
  getConsolidation,
  getInsights,
  getTask,
  listConsolidations,
  listRecommendations,
  pollTasks,
  queryTasks,
  queueMetrics,
  registerAgent,
  reportPerformance,
  routeTask,
  routingStats,
  startTask,
  systemHealth,
  triggerConsolidation,
} from '@athena/contracts';
import type { Output } from '@athena/operation';
import { z } from 'zod';
import { oneOperation, twoOperations, type Tool } from './tool.js';

const TASK_ROW = ['task_id', 'task_type', 'priority', 'status', 'assigned_to', 'reason'];
const AGENT_ROW = ['agent_id', 'status', 'capabilities', 'utilisation', 'success_rate'];
const WAITING = 'wait: milliseconds, or a text like 30s; 30 s at most.';

/** Of a batch: the ids in order, and which ones were refused why. */
const batchAnswer = z.object({
  taskIds: z.array(z.string().nullable()),
  refusals: z.array(z.object({ index: z.int(), code: z.string(), detail: z.string() })),
  seq: z.int(),
});
const batchTold = ({ taskIds, results, seq }: Output<typeof createTasks>): object => ({
  taskIds,
  refusals: results.flatMap((result, index) =>
    'refusal' in result ? [{ index, ...result.refusal }] : [],
  ),
  seq,
});

const pollAsAgent = oneOperation({
  operation: pollTasks,
  selectable: true,
  rows: 'tasks',
  shows: ['task_id', 'lease', 'task_type', 'content', 'metadata'],
  always: ['task_id', 'lease'],
});
const peekAtTasks = oneOperation({
  operation: queryTasks,
  selectable: true,
  takes: ['agentId', 'status', 'limit'],
  defaults: { status: 'pending', limit: 10 },
  rows: 'tasks',
  besides: [],
  shows: ['task_id', 'task_type', 'priority'],
});

/** What is offered over MCP, and as which tool: nothing else is, whatever operations there are. */
export const tools: readonly Tool[] = [
  oneOperation({
    name: 'create_task',
    operation: createTask,
    selectable: true,
    shows: ['task_id', 'status', 'created'],
  }),
  oneOperation({
    name: 'create_tasks',
    operation: createTasks,
    selectable: true,
    shows: ['task_ids', 'refusals'],
    tells: { schema: batchAnswer, from: batchTold },
  }),
  twoOperations({
    name: 'poll_tasks',
    description:
      'With agent_id and status pending: fetch that agent’s work, with a lease for each task ' +
      'to show when starting, completing or failing it. Else: look at tasks of a status.',
    choose: ({ agent_id: agent, status = 'pending' }) =>
      agent !== undefined && status === 'pending',
    first: pollAsAgent,
    second: peekAtTasks,
    chooses: ['status'],
  }),
  oneOperation({ name: 'assign_task', operation: assignTask, shows: ['status'] }),
  oneOperation({ name: 'start_task', operation: startTask, shows: ['status'] }),
  oneOperation({ name: 'complete_task', operation: completeTask, shows: ['status'] }),
  oneOperation({ name: 'fail_task', operation: failTask, shows: ['status'] }),
  oneOperation({ name: 'cancel_task', operation: cancelTask, shows: ['status'] }),
  oneOperation({
    name: 'get_task_status',
    operation: getTask,
    selectable: true,
    note: WAITING,
    shows: ['status', 'assigned_to', 'result', 'error', 'reason', 'progress'],
  }),
  oneOperation({
    name: 'query_tasks',
    operation: queryTasks,
    selectable: true,
    rows: 'tasks',
    shows: TASK_ROW,
  }),
  oneOperation({
    name: 'explain_task',
    operation: explainTask,
    selectable: true,
    shows: ['state', 'reason', 'detail'],
  }),
  oneOperation({
    name: 'register_agent',
    operation: registerAgent,
    renames: { maxConcurrent: 'maxConcurrentTasks' },
    shows: ['agent_id', 'registered'],
  }),
  oneOperation({
    name: 'update_agent_performance',
    operation: reportPerformance,
    shows: ['counted'],
  }),
  oneOperation({
    name: 'get_agent_health',
    operation: agentHealth,
    shows: ['status', 'utilisation', 'active_tasks', 'last_seen_at', 'load', 'cpu', 'memory'],
  }),
  oneOperation({
    name: 'find_capable_agents',
    operation: findAgents,
    selectable: true,
    rows: 'agents',
    shows: AGENT_ROW,
  }),
  oneOperation({ name: 'deregister_agent', operation: deregisterAgent, shows: ['deregistered'] }),
  oneOperation({
    name: 'route_task',
    operation: routeTask,
    shows: ['selected_agent', 'candidates', 'scores', 'reason'],
    keeps: ['selected_agent', 'candidates', 'scores'],
  }),
  oneOperation({ name: 'get_routing_stats', operation: routingStats }),
  oneOperation({ name: 'get_queue_metrics', operation: queueMetrics }),
  twoOperations({
    name: 'get_agent_metrics',
    description: 'The fleet in figures; with agent_id, that agent’s own.',
    choose: ({ agent_id: agent }) => agent !== undefined,
    first: oneOperation({
      operation: getAgent,
      selectable: true,
      shows: [
        ...['status', 'utilisation', 'active_tasks', 'completed', 'failed'],
        ...['success_rate', 'avg_completion_ms'],
      ],
    }),
    second: oneOperation({ operation: fleetStatistics }),
  }),
  oneOperation({ name: 'get_health', operation: systemHealth, shows: ['status', 'services'] }),
  oneOperation({
    name: 'get_orchestration_insights',
    operation: getInsights,
    selectable: true,
    shows: ['covered', 'total', 'by_type', 'by_kind'],
  }),
  oneOperation({
    name: 'get_recommendations',
    operation: listRecommendations,
    selectable: true,
    rows: 'recommendations',
    shows: ['rule', 'severity', 'sentence', 'action'],
  }),
  oneOperation({
    name: 'trigger_consolidation',
    operation: triggerConsolidation,
    selectable: true,
    shows: ['consolidation_id', 'covered', 'insights'],
    keeps: ['consolidation_id'],
  }),
  oneOperation({
    name: 'list_consolidations',
    operation: listConsolidations,
    selectable: true,
    rows: 'consolidations',
    shows: ['consolidation_id', 'at', 'covered', 'insights', 'recommendations'],
  }),
  oneOperation({
    name: 'get_consolidation',
    operation: getConsolidation,
    selectable: true,
    shows: ['at', 'covered', 'total', 'by_type', 'by_kind', 'recommendations'],
  }),
  oneOperation({
    name: 'dispatch_task',
    operation: dispatchTask,
    selectable: true,
    shows: ['task_id', 'status', 'assigned_to', 'reason'],
    keeps: ['assigned_to'],
  }),
];
