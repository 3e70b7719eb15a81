import type { Operation } from '@athena/operation';
import { assignTask } from './task/assign-task.js';
import { bulkStatus, bulkTasks } from './task/bulk.js';
import { cancelTask } from './task/cancel-task.js';
import { countTasks } from './task/count-tasks.js';
import { completeTask } from './task/complete-task.js';
import { createTask } from './task/create-task.js';
import { createTaskChunk, createTasks } from './task/create-tasks.js';
import { explainTask } from './task/explain-task.js';
import { failTask } from './task/fail-task.js';
import { getTask } from './task/get-task.js';
import { heartbeatTask } from './task/heartbeat-task.js';
import { listAttempts } from './task/list-attempts.js';
import { listTaskEvents } from './task/list-task-events.js';
import { adoptPartitions, getPartitions, growPartitions, outlineTasks } from './task/partitions.js';
import { pauseQueue, pausedQueue, resumeQueue } from './task/pause.js';
import { heldTasks, openRouter, placeTasks, releaseSession } from './task/place-tasks.js';
import { progressTask } from './task/progress-task.js';
import { queryTasks } from './task/query-tasks.js';
import { queueMetrics } from './task/queue-metrics.js';
import { reprioritiseTask } from './task/reprioritise-task.js';
import { redriveTask } from './task/redrive-task.js';
import { startTask } from './task/start-task.js';
import { createSchedule } from './schedule/create-schedule.js';
import { deleteSchedule } from './schedule/delete-schedule.js';
import { getSchedule } from './schedule/get-schedule.js';
import { listSchedules } from './schedule/list-schedules.js';
import { pauseSchedule } from './schedule/pause-schedule.js';
import { previewSchedule } from './schedule/preview-schedule.js';
import { resumeSchedule } from './schedule/resume-schedule.js';
import { triggerSchedule } from './schedule/trigger-schedule.js';
import { agentHealth } from './agent/agent-health.js';
import { claimTasks } from './agent/claim-tasks.js';
import { deregisterAgent } from './agent/deregister-agent.js';
import { drainAgent } from './agent/drain-agent.js';
import { findAgents } from './agent/find-agents.js';
import { fleetStatistics } from './agent/fleet-statistics.js';
import { getAgent } from './agent/get-agent.js';
import { heartbeatAgent } from './agent/heartbeat-agent.js';
import {
  beatAgent,
  bindAgent,
  countPerformance,
  endSession,
  tellCancelled,
} from './agent/internal.js';
import { learnCapability } from './agent/learn-capability.js';
import { pollTasks } from './agent/poll-tasks.js';
import { registerAgent } from './agent/register-agent.js';
import { reportPerformance } from './agent/report-performance.js';
import { resumeAgent } from './agent/resume-agent.js';
import { dispatchTask } from './routing/dispatch-task.js';
import { routeTask } from './routing/route-task.js';
import { routingStats } from './routing/routing-stats.js';
import { getConsolidation } from './consolidation/get-consolidation.js';
import { getInsights } from './consolidation/get-insights.js';
import { listConsolidations } from './consolidation/list-consolidations.js';
import { listRecommendations } from './consolidation/list-recommendations.js';
import { triggerConsolidation } from './consolidation/trigger-consolidation.js';
import { listProjections } from './memory/list-projections.js';
import { rebuildProjection } from './memory/rebuild-projection.js';
import { rollbackProjection } from './memory/rollback-projection.js';
import { eventTimeline } from './memory/timeline.js';
import { verifyLog } from './memory/verify-log.js';
import { createKey } from './access/create-key.js';
import { createProject } from './access/create-project.js';
import { listKeys } from './access/list-keys.js';
import { revokeKey } from './access/revoke-key.js';
import { systemHealth } from './access/system-health.js';

/** Every operation of the system. Surfaces, documents and clients derive from this list. */
export const operations: readonly Operation[] = [
  assignTask,
  cancelTask,
  countTasks,
  completeTask,
  createTask,
  createTasks,
  createTaskChunk,
  explainTask,
  failTask,
  getTask,
  heartbeatTask,
  listAttempts,
  listTaskEvents,
  getPartitions,
  growPartitions,
  adoptPartitions,
  outlineTasks,
  placeTasks,
  heldTasks,
  openRouter,
  releaseSession,
  progressTask,
  queryTasks,
  queueMetrics,
  pauseQueue,
  resumeQueue,
  pausedQueue,
  reprioritiseTask,
  bulkTasks,
  bulkStatus,
  redriveTask,
  startTask,
  createSchedule,
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  previewSchedule,
  resumeSchedule,
  triggerSchedule,
  agentHealth,
  claimTasks,
  deregisterAgent,
  drainAgent,
  resumeAgent,
  findAgents,
  fleetStatistics,
  getAgent,
  heartbeatAgent,
  bindAgent,
  beatAgent,
  tellCancelled,
  endSession,
  countPerformance,
  learnCapability,
  pollTasks,
  registerAgent,
  reportPerformance,
  dispatchTask,
  routeTask,
  routingStats,
  getInsights,
  listRecommendations,
  triggerConsolidation,
  listConsolidations,
  getConsolidation,
  eventTimeline,
  verifyLog,
  listProjections,
  rebuildProjection,
  rollbackProjection,
  createKey,
  createProject,
  listKeys,
  revokeKey,
  systemHealth,
];
