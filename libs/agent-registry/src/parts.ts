/* The door for whoever hosts the registry's partition without Nest and Postgres. */
export { registryVerbs } from './agent-verbs.js';
export { PresenceBook } from './domain/presence.js';
export { handleAgentHealth } from './operations/agent-health.js';
export { figuresOf } from './operations/agent-rows.js';
export { handleHeartbeatAgent } from './operations/heartbeat-agent.js';
export { handleGetAgent } from './operations/get-agent.js';
export { lookUpAgent } from './operations/owner-queries.js';
export type { AgentReader } from './operations/registry-reader.js';
export { handleReportPerformance } from './operations/report-performance.js';
export { DisconnectWatch } from './presence/disconnect-watch.js';
export { OwnedRegistry } from './presence/owned-registry.js';
export { PresenceWatch } from './presence/presence-watch.js';
export { watchedRegistry } from './presence/watched-registry.js';
export { agentRecords } from './projections/agent-records.js';
export type { AgentRecordRow } from './projections/agent-records.js';
export { agents } from './projections/agents.js';
export type { AgentRow } from './projections/agents.js';
