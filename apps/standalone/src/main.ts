import {
  AgentRegistryModule,
  agentRegistryEntities,
  agentRegistryMigrations,
} from '@athena/agent-registry';
import {
  ConsolidationModule,
  consolidationEntities,
  consolidationMigrations,
} from '@athena/consolidation';
import {
  EpisodicMemoryModule,
  episodicMemoryEntities,
  episodicMemoryMigrations,
} from '@athena/episodic-memory';
import { GatewayModule } from '@athena/gateway';
import { RouterModule } from '@athena/router';
import { runService } from '@athena/service-kit';
import { TaskQueueModule, taskQueueEntities, taskQueueMigrations } from '@athena/task-queue';

/** Every service in one process: the same code and the same messages as in processes apart. */
await runService('standalone', [
  {
    module: AgentRegistryModule,
    entities: agentRegistryEntities,
    migrations: agentRegistryMigrations,
  },
  { module: TaskQueueModule, entities: taskQueueEntities, migrations: taskQueueMigrations },
  {
    module: EpisodicMemoryModule,
    entities: episodicMemoryEntities,
    migrations: episodicMemoryMigrations,
  },
  {
    module: ConsolidationModule,
    entities: consolidationEntities,
    migrations: consolidationMigrations,
  },
  { module: RouterModule },
  { module: GatewayModule },
]);
