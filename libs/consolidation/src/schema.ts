import { entityOf } from '@athena/projection';
import { attemptOutcomes } from './projections/attempt-outcomes.js';
import { CreateConsolidationV11793491200500 } from './projections/create-consolidation-v1.js';
import { fleetActivity } from './projections/fleet-activity.js';

/** What each run of a consolidation covered and said. */
const consolidations = entityOf({
  table: 'consolidations',
  key: ['consolidation_id'],
  columns: [
    { name: 'consolidation_id', type: 'uuid' },
    { name: 'project', type: 'text' },
    { name: 'at', type: 'timestamptz' },
    { name: 'to_seq', type: 'int8' },
    { name: 'events', type: 'int4' },
    { name: 'report', type: 'jsonb' },
  ],
});

export const consolidationEntities = [
  entityOf(attemptOutcomes),
  entityOf(fleetActivity),
  consolidations,
];
export const consolidationMigrations = [CreateConsolidationV11793491200500];
