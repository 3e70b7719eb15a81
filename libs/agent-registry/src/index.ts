export { AgentRegistryModule } from './agent-registry.module.js';
export { AgentRegistry } from './agent-registry.js';
export type { AgentRegistryObserver, AgentRegistryOptions } from './agent-registry.js';
export { agentRegistryEntities, agentRegistryMigrations } from './schema.js';
