import {
  limits,
  timelineAggregate,
  type TimelineEvent,
  type eventTimeline,
} from '@athena/contracts';
import type { LoggedEvent } from '@athena/event-log';
import type { Input } from '@athena/operation';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';
import type { Position } from './position.js';

export type Search = Input<typeof eventTimeline>;

/** Filters by the condition they stand for; `?` is the filter's value, always a parameter. */
const CONDITIONS = {
  since: 'at >= ?::timestamptz',
  until: 'at < ?::timestamptz',
  type: 'type = ?',
  aggregateId: 'aggregate_id = ?',
  actor: 'actor = ?',
  correlation: 'correlation = ?',
} as const satisfies Partial<Record<keyof Search, string>>;

const FILTERS = Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[];
const COLUMNS = 'seq, idx, at, aggregate, aggregate_id, event';

interface EventRow extends Position {
  readonly at: number;
  readonly aggregate: TimelineEvent['aggregate'];
  readonly aggregate_id: string;
  readonly event: LoggedEvent;
}

export interface FoundEvent {
  readonly position: Position;
  readonly event: Omit<TimelineEvent, 'position'>;
}

/** The project's next events behind a position, as many as a page holds. */
export async function findEvents(
  pool: Pick<Pool, 'query'>,
  project: string,
  search: Search,
  after: Position | null,
): Promise<FoundEvent[]> {
  const statement = statementOf(project, search, after);
  const { rows } = await orUnavailable(pool.query<EventRow>({ ...statement, types: ROW_TYPES }));
  return rows.map(foundOf);
}

const foundOf = ({ seq, idx, at, aggregate, aggregate_id, event }: EventRow): FoundEvent => ({
  position: { seq, idx },
  event: {
    type: event.type,
    version: event.v,
    at: new Date(at).toISOString(),
    aggregate,
    aggregateId: aggregate_id,
    actor: event.actor ?? null,
    correlation: event.correlation ?? null,
    data: event.data,
  },
});

/** Postgres knows no year 0; nothing happened before 1970 either. */
const storable = (instant: string): string =>
  new Date(Math.max(0, Date.parse(instant))).toISOString();

function statementOf(
  project: string,
  search: Search,
  after: Position | null,
): { text: string; values: unknown[] } {
  const values: unknown[] = [project];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const aggregates = search.aggregate ? [search.aggregate] : timelineAggregate.options;
  const conditions = ['project = $1', `aggregate = any(${parameter(aggregates)}::text[])`];
  for (const filter of FILTERS) {
    const value = search[filter];
    if (value === undefined) continue;
    const given = filter === 'since' || filter === 'until' ? storable(value) : value;
    conditions.push(CONDITIONS[filter].replace('?', parameter(given)));
  }
  if (after) {
    const side = search.order === 'asc' ? '>' : '<';
    const place = `(${parameter(after.seq)}::int8, ${parameter(after.idx)}::int4)`;
    conditions.push(`(seq, idx) ${side} ${place}`);
  }
  const order = `seq ${search.order}, idx ${search.order}`;
  const found =
    `select ${COLUMNS} from episodic_events where ${conditions.join(' and ')} ` +
    `order by ${order} limit ${parameter(search.limit)}`;
  const before = `order by ${order} rows between unbounded preceding and 1 preceding`;
  const bytes = `coalesce(sum(octet_length(event::text)) over (${before}), 0)`;
  const text =
    `select ${COLUMNS} from (select *, ${bytes} as bytes_before from (${found}) found) page ` +
    `where bytes_before < ${parameter(limits.TIMELINE_PAGE_BYTES)} order by ${order}`;
  return { text, values };
}
