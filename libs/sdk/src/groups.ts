import {
  getPartitions,
  growPartitions,
  agentHealth,
  assignTask,
  bulkStatus,
  bulkTasks,
  cancelTask,
  completeTask,
  createKey,
  createProject,
  createSchedule,
  createTask,
  createTasks,
  deleteSchedule,
  deregisterAgent,
  dispatchTask,
  drainAgent,
  eventTimeline,
  explainTask,
  failTask,
  findAgents,
  fleetStatistics,
  getAgent,
  getConsolidation,
  getInsights,
  getSchedule,
  getTask,
  heartbeatAgent,
  heartbeatTask,
  learnCapability,
  listConsolidations,
  listKeys,
  listProjections,
  listRecommendations,
  listSchedules,
  listAttempts,
  listTaskEvents,
  pauseSchedule,
  pauseQueue,
  pausedQueue,
  pollTasks,
  previewSchedule,
  progressTask,
  countTasks,
  queryTasks,
  queueMetrics,
  rebuildProjection,
  redriveTask,
  registerAgent,
  reportPerformance,
  resumeSchedule,
  reprioritiseTask,
  resumeAgent,
  resumeQueue,
  revokeKey,
  rollbackProjection,
  routeTask,
  routingStats,
  startTask,
  systemHealth,
  triggerConsolidation,
  triggerSchedule,
  verifyLog,
} from '@athena/contracts';
import type { Operation, Output, RawInput } from '@athena/operation';

/** The methods of a client, by group. A test holds this table against the list of operations. */
export const groups = {
  tasks: {
    create: createTask,
    createMany: createTasks,
    dispatch: dispatchTask,
    get: getTask,
    query: queryTasks,
    count: countTasks,
    assign: assignTask,
    start: startTask,
    heartbeat: heartbeatTask,
    progress: progressTask,
    complete: completeTask,
    fail: failTask,
    cancel: cancelTask,
    reprioritise: reprioritiseTask,
    bulk: bulkTasks,
    bulkStatus,
    redrive: redriveTask,
    why: explainTask,
    events: listTaskEvents,
    attempts: listAttempts,
    metrics: queueMetrics,
  },
  schedules: {
    create: createSchedule,
    get: getSchedule,
    list: listSchedules,
    pause: pauseSchedule,
    resume: resumeSchedule,
    delete: deleteSchedule,
    trigger: triggerSchedule,
    preview: previewSchedule,
  },
  queue: { pause: pauseQueue, resume: resumeQueue, paused: pausedQueue },
  agents: {
    register: registerAgent,
    get: getAgent,
    find: findAgents,
    statistics: fleetStatistics,
    health: agentHealth,
    heartbeat: heartbeatAgent,
    poll: pollTasks,
    drain: drainAgent,
    resume: resumeAgent,
    deregister: deregisterAgent,
    learnCapability,
    reportPerformance,
  },
  routing: { advise: routeTask, stats: routingStats },
  insights: {
    get: getInsights,
    recommendations: listRecommendations,
    consolidate: triggerConsolidation,
    consolidations: listConsolidations,
    consolidation: getConsolidation,
  },
  events: { timeline: eventTimeline },
  log: { verify: verifyLog },
  projections: {
    list: listProjections,
    rebuild: rebuildProjection,
    rollback: rollbackProjection,
  },
  keys: { create: createKey, list: listKeys, revoke: revokeKey },
  projects: { create: createProject },
  partitions: { get: getPartitions, grow: growPartitions },
  system: { health: systemHealth },
} as const;

export interface CallOptions {
  /** Makes a repeat of this command harmless; creates get one by themselves. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** For the whole call with its retries, milliseconds; default CALL_BUDGET_MS. */
  readonly timeoutMs?: number;
}

type Method<T extends Operation> =
  Record<string, never> extends RawInput<T>
    ? (input?: RawInput<T>, options?: CallOptions) => Promise<Output<T>>
    : (input: RawInput<T>, options?: CallOptions) => Promise<Output<T>>;

export type Group<G extends Readonly<Record<string, Operation>>> = {
  readonly [K in keyof G]: Method<G[K]>;
};

/** Makes a group's methods out of its operations. */
export function bindGroup<G extends Readonly<Record<string, Operation>>>(
  group: G,
  call: (operation: Operation, input: unknown, options?: CallOptions) => Promise<unknown>,
): Group<G> {
  const bound = Object.entries(group).map(([name, operation]) => [
    name,
    (input: unknown = {}, options?: CallOptions) => call(operation, input, options),
  ]);
  return Object.fromEntries(bound) as Group<G>;
}
