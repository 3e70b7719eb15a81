export { ConsolidationModule } from './consolidation.module.js';
export { Consolidation } from './consolidation.js';
export type { ConsolidationObserver, ConsolidationOptions } from './consolidation.js';
export { consolidationEntities, consolidationMigrations } from './schema.js';
