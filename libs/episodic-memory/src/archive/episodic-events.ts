import { entityOf, type Column } from '@athena/projection';

const nullable = true;

/** One row per event of the log, in the order of the migration. */
export const episodicEvents = {
  table: 'episodic_events',
  key: ['seq', 'idx'],
  columns: [
    { name: 'seq', type: 'int8' },
    /** Place in its commit, from 0. */
    { name: 'idx', type: 'int4' },
    /** The event type's version. */
    { name: 'version', type: 'int4' },
    { name: 'rev', type: 'int8' },
    { name: 'epoch', type: 'int8' },
    { name: 'at', type: 'timestamptz' },
    /** SHA-256 of the commit that holds the event. */
    { name: 'hash', type: 'bytea' },
    { name: 'project', type: 'text' },
    { name: 'aggregate', type: 'text' },
    { name: 'aggregate_id', type: 'text' },
    { name: 'type', type: 'text' },
    { name: 'actor', type: 'text', nullable },
    { name: 'command', type: 'text', nullable },
    { name: 'correlation', type: 'text', nullable },
    { name: 'partition', type: 'text' },
    /** The event's line of the commit, character by character. */
    { name: 'event', type: 'json' },
  ] satisfies readonly Column[],
} as const;

export const episodicEventsEntity = entityOf(episodicEvents);
