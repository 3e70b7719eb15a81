export * as limits from './limits.js';
export {
  RESERVED_NAMES,
  clientId,
  count,
  instant,
  json,
  label,
  metadata,
  newAgentId,
  page,
  percentiles,
  text,
  uuid,
} from './schemas.js';
export { assignTask } from './task/assign-task.js';
export { bulkAction, bulkStatus, bulkTasks } from './task/bulk.js';
export type { BulkAction, BulkStatus } from './task/bulk.js';
export { cancelTask } from './task/cancel-task.js';
export { completeTask } from './task/complete-task.js';
export { createTask, newTask } from './task/create-task.js';
export type { NewTask } from './task/create-task.js';
export { createTaskChunk, createTasks } from './task/create-tasks.js';
export type { BatchItemResult } from './task/create-tasks.js';
export {
  attemptFailed,
  dependencyCompleted,
  dependencyOutcome,
  dependencyReopened,
  dependencySettled,
  idempotency,
  isOfPartition,
  othersFollowed,
  outcomeRepeated,
  partitionsActivated,
  partitionsAdopted,
  partitionsGrown,
  queuePaused,
  queueResumed,
  releaseReason,
  routerOpened,
  routingDecision,
  taskAssigned,
  taskBlocked,
  taskCancelled,
  taskCompleted,
  taskCreated,
  taskDue,
  taskEvents,
  taskLifeEvents,
  taskExpired,
  taskFailed,
  taskPartitionEvents,
  taskProgressed,
  taskRedriven,
  taskReleased,
  taskReprioritised,
  taskStarted,
} from './task/events.js';
export type {
  DependencyOutcome,
  Idempotency,
  RoutingDecision,
  TaskEvent,
  TaskLifeEvent,
  TaskPartitionEvent,
} from './task/events.js';
export { backoff, taskOptions } from './task/options.js';
export type { Backoff, TaskOptions } from './task/options.js';
export { explainTask } from './task/explain-task.js';
export { failTask } from './task/fail-task.js';
export { getTask } from './task/get-task.js';
export { heartbeatTask } from './task/heartbeat-task.js';
export { listTaskEvents } from './task/list-task-events.js';
export {
  adoptPartitions,
  getPartitions,
  growPartitions,
  outlineTasks,
  taskOutline,
} from './task/partitions.js';
export type { PartitionMap, TaskOutline } from './task/partitions.js';
export {
  claimedTask,
  heldTasks,
  openRouter,
  placeTasks,
  placement,
  releaseSession,
} from './task/place-tasks.js';
export type { ClaimedTask, Placement } from './task/place-tasks.js';
export { pauseQueue, pausedQueue, resumeQueue } from './task/pause.js';
export type { QueuePauses } from './task/pause.js';
export { listAttempts, taskAttempt } from './task/list-attempts.js';
export type { TaskAttempt } from './task/list-attempts.js';
export { progressTask } from './task/progress-task.js';
export { countTasks } from './task/count-tasks.js';
export { queryTasks, taskFilter, taskSort } from './task/query-tasks.js';
export { queueMetrics } from './task/queue-metrics.js';
export {
  isFinished,
  lease,
  plannedRun,
  priority,
  progressReport,
  taskError,
  taskRecord,
  taskStatus,
  waitReason,
  waitTime,
} from './task/record.js';
export type {
  PlannedRun,
  Priority,
  ProgressReport,
  TaskError,
  TaskRecord,
  TaskStatus,
  WaitReason,
} from './task/record.js';
export {
  ALREADY_ASSIGNED,
  CONTRADICTORY_TIMES,
  BULK_NOT_FOUND,
  DEPENDENCY_CYCLE,
  DEPENDENCY_REFUSED,
  GROWTH_UNDER_WAY,
  IDEMPOTENCY_MISMATCH,
  ILLEGAL_TRANSITION,
  KEY_ELSEWHERE,
  NOT_ASSIGNABLE,
  PARTITIONS_ONLY_GROW,
  PROGRESS_TOO_MUCH,
  PROGRESS_TOO_OFTEN,
  STALE_LEASE,
  STALE_ROUTER,
  TASK_CANCELLED,
  TASK_NOT_FOUND,
  TOO_MANY_BULKS,
  TOO_MANY_PAUSES,
  UNKNOWN_DEPENDENCY,
} from './task/refusals.js';
export { reprioritiseTask } from './task/reprioritise-task.js';
export { redriveTask } from './task/redrive-task.js';
export { startTask } from './task/start-task.js';
export { createSchedule } from './schedule/create-schedule.js';
export { deleteSchedule } from './schedule/delete-schedule.js';
export { everyMs, missedRuns, overlap, scheduleId, scheduledTask } from './schedule/definition.js';
export type { ScheduledTask } from './schedule/definition.js';
export {
  isOfSchedule,
  scheduleDefined,
  scheduleDeleted,
  scheduleEvents,
  scheduleFired,
  schedulePaused,
  scheduleResumed,
  scheduleSkipped,
  scheduleTriggered,
} from './schedule/events.js';
export type { ScheduleEvent } from './schedule/events.js';
export { getSchedule } from './schedule/get-schedule.js';
export { listSchedules } from './schedule/list-schedules.js';
export { pauseSchedule } from './schedule/pause-schedule.js';
export { previewSchedule } from './schedule/preview-schedule.js';
export { scheduleRecord } from './schedule/record.js';
export type { ScheduleRecord } from './schedule/record.js';
export { SCHEDULE_NOT_FOUND, TOO_MANY_SCHEDULES } from './schedule/refusals.js';
export { resumeSchedule } from './schedule/resume-schedule.js';
export { triggerSchedule } from './schedule/trigger-schedule.js';
export { agentHealth } from './agent/agent-health.js';
export { claimTasks } from './agent/claim-tasks.js';
export { deregisterAgent } from './agent/deregister-agent.js';
export { drainAgent } from './agent/drain-agent.js';
export {
  agentBound,
  agentDeregistered,
  agentDraining,
  agentEvents,
  agentRegistered,
  agentResumed,
  agentReturned,
  agentSessionEnded,
  capabilityLearned,
  performanceReported,
  sessionEnd,
} from './agent/events.js';
export type { AgentEvent, SessionEnd } from './agent/events.js';
export { findAgents } from './agent/find-agents.js';
export { fleetStatistics } from './agent/fleet-statistics.js';
export { getAgent } from './agent/get-agent.js';
export { heartbeatAgent } from './agent/heartbeat-agent.js';
export {
  beatAgent,
  bindAgent,
  countPerformance,
  endSession,
  tellCancelled,
} from './agent/internal.js';
export { learnCapability } from './agent/learn-capability.js';
export { NO_RECORD, successRate, withFailure, withSuccess } from './agent/performance.js';
export type { Performance } from './agent/performance.js';
export { pollTasks } from './agent/poll-tasks.js';
export { agentMode, agentRecord, agentStatus, capabilityRecord } from './agent/record.js';
export type { AgentMode, AgentRecord, AgentStatus } from './agent/record.js';
export {
  AGENT_ID_TAKEN,
  AGENT_NOT_FOUND,
  TOO_MANY_AGENTS,
  TOO_MANY_CAPABILITIES,
} from './agent/refusals.js';
export { registerAgent } from './agent/register-agent.js';
export { reportPerformance } from './agent/report-performance.js';
export { resumeAgent } from './agent/resume-agent.js';
export { dispatchTask } from './routing/dispatch-task.js';
export { routeTask } from './routing/route-task.js';
export { routingStats } from './routing/routing-stats.js';
export { attemptFigures, recommendation, recommendationRule } from './consolidation/figures.js';
export type { AttemptFigures, Recommendation } from './consolidation/figures.js';
export { getConsolidation } from './consolidation/get-consolidation.js';
export { getInsights } from './consolidation/get-insights.js';
export { listConsolidations } from './consolidation/list-consolidations.js';
export { listRecommendations } from './consolidation/list-recommendations.js';
export { CONSOLIDATION_NOT_FOUND } from './consolidation/refusals.js';
export { triggerConsolidation } from './consolidation/trigger-consolidation.js';
export { createKey } from './access/create-key.js';
export { createProject } from './access/create-project.js';
export { accessEvents, keyIssued, keyRevoked, projectCreated } from './access/events.js';
export type { AccessEvent } from './access/events.js';
export { listKeys } from './access/list-keys.js';
export { keyRecord, projectId, scope } from './access/record.js';
export type { KeyRecord } from './access/record.js';
export {
  KEY_NOT_FOUND,
  PROJECT_NOT_FOUND,
  RESERVED_NAME,
  TOO_MANY_KEYS,
  TOO_MANY_PROJECTS,
} from './access/refusals.js';
export { revokeKey } from './access/revoke-key.js';
export { systemHealth } from './access/system-health.js';
export { operations } from './operations.js';
export { listProjections } from './memory/list-projections.js';
export type { ProjectionJob, ProjectionState } from './memory/list-projections.js';
export { rebuildProjection } from './memory/rebuild-projection.js';
export {
  NO_PREVIOUS_PROJECTION,
  PROJECTION_BUSY,
  PROJECTION_NOT_FOUND,
  PROJECTION_NOT_REBUILDABLE,
} from './memory/refusals.js';
export { rollbackProjection } from './memory/rollback-projection.js';
export { eventTimeline, timelineAggregate, timelineEvent } from './memory/timeline.js';
export type { TimelineEvent } from './memory/timeline.js';
export { logFinding, logFlaw, verifyLog } from './memory/verify-log.js';
export type { LogFinding } from './memory/verify-log.js';
