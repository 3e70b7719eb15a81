import { entityOf } from '@athena/projection';
import { agentRecords } from './projections/agent-records.js';
import { agents } from './projections/agents.js';
import { CreateAgents1793494800000 } from './projections/migrations/create-agents.js';

/** For the data source: what TypeORM must know of this service's tables. */
export const agentRegistryEntities = [entityOf(agents), entityOf(agentRecords)];
export const agentRegistryMigrations = [CreateAgents1793494800000];
