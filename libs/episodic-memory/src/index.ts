import { CreateEpisodicEvents1793491200200 } from './archive/create-episodic-events.js';
import { CreateTimelineIndex1795046400000 } from './archive/create-timeline-index.js';
import { episodicEventsEntity } from './archive/episodic-events.js';

export { EpisodicMemoryModule } from './episodic-memory.module.js';
export { EpisodicMemory } from './episodic-memory.js';
export type { EpisodicMemoryObserver, EpisodicMemoryOptions } from './episodic-memory.js';

/** For the data source: what TypeORM must know of this service's tables. */
export const episodicMemoryEntities = [episodicEventsEntity];
export const episodicMemoryMigrations = [
  CreateEpisodicEvents1793491200200,
  CreateTimelineIndex1795046400000,
];
