import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import * as older from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { INSIGHT_EXAMPLES } from './mcp-insights.scenario.js';

export const TASK = '01890000-0000-8000-8000-000000000000';
const OTHER_TASK = '01890000-0000-8000-8000-000000000001';
const AT = '2026-07-28T12:00:00.000Z';

/** What an MCP host sees of a tool's answer. */
export interface ToolAnswer {
  readonly structuredContent?: Record<string, unknown>;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly isError?: boolean;
}

/** An MCP host, of either generation. */
export interface Host {
  version(): string | undefined;
  list(): Promise<readonly { readonly name: string }[]>;
  call(tool: string, args: Record<string, unknown>): Promise<ToolAnswer>;
  close(): Promise<void>;
}

type Connect = (url: URL, headers: Record<string, string>) => Promise<Host>;
const ME = { name: 'spec', version: '1' };
const PREFIX = 'orchestration_';

const newHost =
  (mode: 'auto' | 'legacy'): Connect =>
  async (url, headers) => {
    const client = new Client(ME, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
    return {
      version: () => client.getNegotiatedProtocolVersion(),
      list: async () => (await client.listTools()).tools,
      call: async (tool, args) =>
        (await client.callTool({ name: PREFIX + tool, arguments: args })) as ToolAnswer,
      close: () => client.close(),
    };
  };

const olderHost: Connect = async (url, headers) => {
  const client = new OlderClient(ME);
  const transport = new older.StreamableHTTPClientTransport(url, { requestInit: { headers } });
  await client.connect(transport);
  return {
    version: () => transport.protocolVersion,
    list: async () => (await client.listTools()).tools,
    call: async (tool, args) =>
      (await client.callTool({ name: PREFIX + tool, arguments: args })) as unknown as ToolAnswer,
    close: () => client.close(),
  };
};

/** Client → how it connects, and the revision it then speaks. */
export const HOSTS: readonly (readonly [name: string, connect: Connect, version: string])[] = [
  ['the current client', newHost('auto'), '2026-07-28'],
  ['the current client in the older way', newHost('legacy'), '2025-11-25'],
  ['the older client', olderHost, '2025-11-25'],
];

/** One call of a tool: what the service gets, what it answers, and what the host is told. */
export interface Example {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly operation: string;
  readonly input: object;
  readonly output: object;
  readonly told: object;
}

const record = {
  ...{ taskId: TASK, content: { inReplyTo: null }, taskType: 'demo', status: 'running' },
  ...{ priority: 'high', requirements: [], dependencies: [], assignedTo: 'a1', createdAt: AT },
  ...{ assignedAt: AT, startedAt: AT, completedAt: null, result: null, error: null },
  ...{ success: null, attempt: 1, maxAttempts: 3, retryCount: 0, executionDurationMs: null },
  ...{ estimatedDurationMs: null, runAt: null, batchId: null, metadata: null, reason: null },
  ...{ deadLettered: false, progress: { percent: 50 }, autoRoute: true },
};
const claimed = {
  ...{ taskId: TASK, attempt: 1, lease: '0.7.0', leaseUntil: AT, content: { aB: [] } },
  ...{ taskType: 'demo', priority: 'high', requirements: ['x'], metadata: null },
};
const agent = {
  ...{ agentId: 'a1', kind: 'a1', status: 'online', capabilities: ['x'], capabilityDetails: [] },
  ...{ maxConcurrentTasks: 5, activeTasks: 1, utilisation: 0.2, mode: 'poll', session: 3 },
  ...{ registeredAt: AT, metadata: null, completed: 2, failed: 1, successRate: 2 / 3 },
  avgCompletionMs: null,
};
const none = { p50: null, p95: null, p99: null };
const taskInput = { taskId: TASK };
const taskArgs = { task_id: TASK };

/** Every tool at least once. */
export const EXAMPLES: readonly Example[] = [
  {
    tool: 'create_task',
    args: { content: { camelCase: 1 }, task_type: 'demo', max_attempts: 2 },
    operation: 'task.create',
    input: { content: { camelCase: 1 }, taskType: 'demo', maxAttempts: 2, priority: 'medium' },
    output: { taskId: TASK, status: 'pending', created: true },
    told: { task_id: TASK, status: 'pending', created: true },
  },
  {
    tool: 'create_tasks',
    args: {
      tasks: [
        { content: 1, task_type: 'demo', ref: 'a' },
        { content: 1, task_type: 'demo', dependencies: [{ ref: 'b' }] },
      ],
    },
    // The gateway cuts batches itself.
    operation: 'task.createChunk',
    input: { partition: 0, items: [{ task: { content: 1, taskType: 'demo' } }] },
    output: { results: [{ taskId: TASK }] },
    told: {
      task_ids: [TASK, null],
      refusals: [
        {
          ...{ index: 1, code: 'UNKNOWN_DEPENDENCY', detail: 'the batch holds no ref b' },
          ...{ field: 'tasks.1.dependencies', retryable: false },
        },
      ],
    },
  },
  {
    tool: 'poll_tasks',
    args: { agent_id: 'a1', status: 'pending', limit: 2 },
    operation: 'agent.poll',
    input: { agentId: 'a1', limit: 2 },
    output: { tasks: [claimed], cancelled: [] },
    told: {
      tasks: [{ task_id: TASK, lease: '0.7.0', content: { aB: [] }, task_type: 'demo' }],
    },
  },
  {
    tool: 'poll_tasks',
    args: {},
    operation: 'task.query',
    input: { status: 'pending', limit: 10 },
    output: { tasks: [], nextCursor: null },
    told: { tasks: [] },
  },
  {
    tool: 'poll_tasks',
    args: { agent_id: 'a1', status: 'running' },
    operation: 'task.query',
    input: { agentId: 'a1', status: 'running', limit: 10 },
    output: { tasks: [record], nextCursor: 'c' },
    told: { tasks: [{ task_id: TASK, task_type: 'demo', priority: 'high' }] },
  },
  ...(['start', 'complete'] as const).map((verb) => ({
    tool: `${verb}_task`,
    args: { ...taskArgs, lease: '0.7.0' },
    operation: `task.${verb}`,
    input: { ...taskInput, lease: '0.7.0' },
    output: { taskId: TASK, status: 'running' },
    told: { status: 'running' },
  })),
  {
    tool: 'assign_task',
    args: { ...taskArgs, agent_id: 'a1' },
    operation: 'task.assign',
    input: { ...taskInput, agentId: 'a1' },
    output: { taskId: TASK, agentId: 'a1', status: 'assigned' },
    told: { status: 'assigned' },
  },
  {
    tool: 'fail_task',
    args: { ...taskArgs, error: 'no luck', should_retry: false },
    operation: 'task.fail',
    input: { ...taskInput, error: { message: 'no luck' }, shouldRetry: false },
    output: { taskId: TASK, status: 'failed' },
    told: { status: 'failed' },
  },
  {
    tool: 'cancel_task',
    args: { ...taskArgs, reason: 'late' },
    operation: 'task.cancel',
    input: { ...taskInput, reason: 'late' },
    output: { taskId: TASK, status: 'cancelled' },
    told: { status: 'cancelled' },
  },
  {
    tool: 'get_task_status',
    args: { ...taskArgs, wait: '1s' },
    operation: 'task.get',
    input: { ...taskInput, wait: 1_000 },
    output: { ...record, result: { keptAsIs: [], ratio: 1 / 3 } },
    told: {
      status: 'running',
      assigned_to: 'a1',
      result: { keptAsIs: [], ratio: 1 / 3 },
      progress: { percent: 50 },
    },
  },
  {
    tool: 'query_tasks',
    args: { task_type: 'demo', fields: ['task_id', 'created_at', 'error'] },
    operation: 'task.query',
    input: { taskType: 'demo', limit: 50 },
    output: { tasks: [record, { ...record, taskId: OTHER_TASK }], nextCursor: null },
    told: {
      tasks: [TASK, OTHER_TASK].map((id) => ({ task_id: id, created_at: AT })),
    },
  },
  {
    tool: 'explain_task',
    args: taskArgs,
    operation: 'task.why',
    input: taskInput,
    output: { state: 'pending', reason: 'agents_full', detail: 'all are full', decision: null },
    told: { state: 'pending', reason: 'agents_full', detail: 'all are full' },
  },
  {
    tool: 'register_agent',
    args: { agent_id: 'a1', capabilities: ['x'], max_concurrent: 2 },
    operation: 'agent.register',
    input: { agentId: 'a1', capabilities: ['x'], maxConcurrentTasks: 2 },
    output: { agentId: 'a1', registered: true, session: 1, heartbeatMs: 5_000 },
    told: { agent_id: 'a1', registered: true },
  },
  {
    tool: 'update_agent_performance',
    args: { agent_id: 'a1', success: true, duration_ms: 5 },
    operation: 'agent.reportPerformance',
    input: { agentId: 'a1', success: true, durationMs: 5 },
    output: { agentId: 'a1', counted: true },
    told: { counted: true },
  },
  {
    tool: 'get_agent_health',
    args: { agent_id: 'a1' },
    operation: 'agent.health',
    input: { agentId: 'a1' },
    output: {
      ...{ agentId: 'a1', status: 'online', utilisation: 0, activeTasks: 0, lastSeenAt: AT },
      ...{ load: null, cpu: 0.5, memory: null, network: null },
    },
    told: { status: 'online', utilisation: 0, active_tasks: 0, last_seen_at: AT, cpu: 0.5 },
  },
  {
    tool: 'find_capable_agents',
    args: { requirements: ['x'] },
    operation: 'agent.find',
    input: { requirements: ['x'], limit: 50 },
    output: { agents: [agent], nextCursor: null },
    told: {
      agents: [
        {
          ...{ agent_id: 'a1', status: 'online', capabilities: ['x'] },
          ...{ utilisation: 0.2, success_rate: 0.6667 },
        },
      ],
    },
  },
  {
    tool: 'deregister_agent',
    args: { agent_id: 'a1' },
    operation: 'agent.deregister',
    input: { agentId: 'a1' },
    output: { agentId: 'a1', deregistered: true },
    told: { deregistered: true },
  },
  {
    tool: 'route_task',
    args: { task: { task_type: 'demo', requirements: ['x'] }, exclude_agents: ['a2'] },
    operation: 'route.advise',
    input: { task: { taskType: 'demo', requirements: ['x'] }, excludeAgents: ['a2'] },
    output: {
      ...{ selectedAgent: 'camelAgent', candidates: ['camelAgent'], reason: 'best' },
      scores: { camelAgent: 0.123456 },
    },
    told: {
      ...{ selected_agent: 'camelAgent', candidates: ['camelAgent'], reason: 'best' },
      scores: { camelAgent: 0.1235 },
    },
  },
  {
    tool: 'route_task',
    args: taskArgs,
    operation: 'route.advise',
    input: taskInput,
    output: { selectedAgent: null, candidates: [], scores: {}, reason: 'no_capable_agent' },
    told: { selected_agent: null, candidates: [], scores: {}, reason: 'no_capable_agent' },
  },
  {
    tool: 'get_routing_stats',
    args: {},
    operation: 'routing.stats',
    input: {},
    output: {
      ...{ since: AT, assigned: 1, refused: 0, waiting: 1, policy: 'base' },
      ...{ noRouteReasons: { agents_full: 1 }, assignmentRate: null },
      timeToAssignMs: { p50: 1.23456, p95: null, p99: null },
    },
    told: {
      ...{ since: AT, assigned: 1, refused: 0, waiting: 1, policy: 'base' },
      ...{ no_route_reasons: { agents_full: 1 }, time_to_assign_ms: { p50: 1.2346 } },
    },
  },
  {
    tool: 'get_queue_metrics',
    args: {},
    operation: 'queue.metrics',
    input: {},
    output: {
      ...{ byStatus: { pending: 1 }, byPriority: {}, byType: { myType: 1 }, oldestPendingMs: 5 },
      ...{ throughputPerMinute: 0, waitMs: none, runMs: none, successRate: null, retryRate: 0 },
    },
    told: {
      ...{ by_status: { pending: 1 }, by_type: { myType: 1 }, oldest_pending_ms: 5 },
      ...{ throughput_per_minute: 0, retry_rate: 0 },
    },
  },
  {
    tool: 'get_agent_metrics',
    args: {},
    operation: 'agent.statistics',
    input: {},
    output: {
      ...{ total: 1, byStatus: { online: 1 }, capacity: 5, activeTasks: 0, utilisation: 0 },
      ...{ skills: { x: 1 }, singlePointsOfFailure: [{ capability: 'x', agentId: 'a1' }] },
    },
    told: {
      ...{ total: 1, by_status: { online: 1 }, capacity: 5, active_tasks: 0, utilisation: 0 },
      ...{ skills: { x: 1 }, single_points_of_failure: [{ capability: 'x', agent_id: 'a1' }] },
    },
  },
  {
    tool: 'get_agent_metrics',
    args: { agent_id: 'a1' },
    operation: 'agent.get',
    input: { agentId: 'a1' },
    output: agent,
    told: {
      ...{ status: 'online', utilisation: 0.2, active_tasks: 1 },
      ...{ completed: 2, failed: 1, success_rate: 0.6667 },
    },
  },
  ...INSIGHT_EXAMPLES,
  {
    tool: 'dispatch_task',
    args: { task: { content: 1, task_type: 'demo' } },
    operation: 'task.dispatch',
    input: { task: { content: 1, taskType: 'demo' } },
    output: { taskId: TASK, status: 'pending', assignedTo: null, reason: 'agents_full' },
    told: { task_id: TASK, status: 'pending', assigned_to: null, reason: 'agents_full' },
  },
];

/** Arguments that no tool takes, each with the field at fault. */
export const HOSTILE: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ no_such_argument: 1 }, 'no_such_argument'],
  [{ taskId: TASK }, 'taskId'],
  [{ task_id: '../../keys' }, 'task_id'],
  [{ agent_id: '..' }, 'agent_id'],
  [{ task_id: { $ne: null } }, 'task_id'],
  [{ limit: -1 }, 'limit'],
  [{ fields: 'task_id' }, 'fields'],
  [{ fields: ['constructor'] }, 'fields.0'],
];
