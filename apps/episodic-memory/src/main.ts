import {
  EpisodicMemoryModule,
  episodicMemoryEntities as entities,
  episodicMemoryMigrations as migrations,
} from '@athena/episodic-memory';
import { runService } from '@athena/service-kit';

await runService('episodic-memory', [{ module: EpisodicMemoryModule, entities, migrations }]);
