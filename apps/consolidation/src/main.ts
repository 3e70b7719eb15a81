import {
  ConsolidationModule,
  consolidationEntities as entities,
  consolidationMigrations as migrations,
} from '@athena/consolidation';
import { runService } from '@athena/service-kit';

await runService('consolidation', [{ module: ConsolidationModule, entities, migrations }]);
