import {
  AgentRegistryModule,
  agentRegistryEntities as entities,
  agentRegistryMigrations as migrations,
} from '@athena/agent-registry';
import { runService } from '@athena/service-kit';

await runService('agent-registry', [{ module: AgentRegistryModule, entities, migrations }]);
