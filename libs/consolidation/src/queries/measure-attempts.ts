import { limits, type AttemptFigures } from '@athena/contracts';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';
import { figuresOf, type CountedAttempts } from '../domain/figures.js';

/** Which attempts: the last `limit` that finished after `since`, of those the type's and kind's. */
export interface Selection {
  readonly project: string;
  /** Milliseconds. Null: however long ago, and the time ends with the last outcome. */
  readonly since: number | null;
  /** Milliseconds. */
  readonly until: number;
  readonly limit: number;
  readonly taskType?: string;
  readonly kind?: string;
}

export interface Measured {
  readonly covered: {
    /** Milliseconds; equal where nothing was found that far back. */
    readonly from: number;
    readonly to: number;
    readonly tasks: number;
    readonly attempts: number;
    readonly cut: boolean;
    /** Log position of the last outcome; 0: none. */
    readonly toSeq: number;
  };
  readonly total: AttemptFigures;
  readonly byType: (AttemptFigures & { taskType: string })[];
  readonly byKind: (AttemptFigures & { kind: string })[];
  readonly byTypeAndKind: (AttemptFigures & { taskType: string; kind: string })[];
  readonly overTime: (AttemptFigures & { from: string; to: string })[];
}

interface GroupRow extends CountedAttempts {
  /** Which columns the row is grouped by: bits of task_type, kind, bucket; a set bit: not by it. */
  readonly by: number;
  readonly task_type: string | null;
  readonly kind: string | null;
  readonly bucket: number | null;
  readonly from_ms: number;
  readonly to_ms: number;
  readonly tasks: number;
  readonly found: number;
  readonly to_seq: number;
}

const BY_TYPE = 0b011;
const BY_KIND = 0b101;
const BY_BOTH = 0b001;
const BY_BUCKET = 0b110;
const TOTAL = 0b111;

const FRACTIONS = 'array[0.5, 0.95, 0.99]';
/*
 * The last attempts lie in the tasks whose last attempts are the last, so that both can be cut at
 * the same number. Parameters: project, since, until (milliseconds), limit, type, kind, buckets.
 */
const TEXT = `
  with tasks as (
    select task_id, task_type, outcomes from attempt_outcomes
    where project = $1 and last_at is not null
      and ($2::float8 is null or last_at > to_timestamp($2::float8 / 1000))
      and ($5::text is null or task_type = $5)
    order by last_at desc, last_seq desc limit $4
  ), found as (
    select t.task_id, t.task_type, o.*
    from tasks t, jsonb_to_recordset(t.outcomes) as o (
      kind text, attempt int4, outcome text, wait_ms float8, run_ms float8,
      at float8, seq int8, idx int4)
    where $2::float8 is null or o.at > $2
    order by o.at desc, o.seq desc, o.idx desc limit $4
  ), bounds as (
    select count(*) as found, coalesce(max(seq), 0) as to_seq,
      case when $2::float8 is null or count(*) = $4 then coalesce(min(at), $3) else $2 end
        as from_ms,
      case when $2::float8 is null then coalesce(max(at), $3) else $3 end as to_ms
    from found
  ), placed as (
    select f.*, least($7::int4, greatest(1, width_bucket(
        f.at, b.from_ms, greatest(b.to_ms, b.from_ms + 1), $7::int4))) as bucket
    from found f, bounds b where $6::text is null or f.kind = $6
  ), figures as (
    select grouping(task_type, kind, bucket) as by, task_type, kind, bucket,
      count(*) as attempts, count(distinct task_id) as tasks,
      count(*) filter (where outcome = 'completed') as completed,
      count(*) filter (where outcome = 'failed') as failed,
      count(*) filter (where outcome = 'lost') as lost,
      count(*) filter (where attempt > 1) as repeats,
      percentile_cont(${FRACTIONS}) within group (order by wait_ms) as wait_ms,
      percentile_cont(${FRACTIONS}) within group (order by run_ms) as run_ms
    from placed
    group by grouping sets ((), (task_type), (kind), (task_type, kind), (bucket))
  )
  select figures.*, bounds.* from figures, bounds
  order by attempts desc, task_type, kind`;

/**
 * A project's finished attempts in figures.
 * @throws Refused UNAVAILABLE
 */
export async function measureAttempts(
  pool: Pick<Pool, 'query'>,
  { project, since, until, limit, taskType, kind }: Selection,
): Promise<Measured> {
  const buckets = limits.INSIGHTS_BUCKETS;
  const values = [project, since, until, limit, taskType ?? null, kind ?? null, buckets];
  const asked = pool.query<GroupRow>({ text: TEXT, values, types: ROW_TYPES });
  const { rows } = await orUnavailable(asked);
  const total = rows.find(({ by }) => by === TOTAL) as GroupRow;
  const { from_ms: from, to_ms: to } = total;
  const overMs = to - from;
  const grouped = <T>(by: number, more: (row: GroupRow) => T): (AttemptFigures & T)[] =>
    rows
      .filter((row) => row.by === by)
      .slice(0, limits.INSIGHTS_GROUPS_MAX)
      .map((row) => ({ ...more(row), ...figuresOf(row, overMs) }));
  return {
    covered: {
      from,
      to,
      tasks: total.tasks,
      attempts: total.attempts,
      cut: since !== null && total.found === limit,
      toSeq: total.to_seq,
    },
    total: figuresOf(total, overMs),
    byType: grouped(BY_TYPE, (row) => ({ taskType: row.task_type as string })),
    byKind: grouped(BY_KIND, (row) => ({ kind: row.kind as string })),
    byTypeAndKind: grouped(BY_BOTH, (row) => ({
      taskType: row.task_type as string,
      kind: row.kind as string,
    })),
    overTime: overTime(
      rows.filter(({ by }) => by === BY_BUCKET),
      from,
      overMs / buckets,
    ),
  };
}

const overTime = (rows: readonly GroupRow[], start: number, partMs: number): Measured['overTime'] =>
  rows
    .map((row) => ({ row, from: start + ((row.bucket as number) - 1) * partMs }))
    .sort((a, b) => a.from - b.from)
    .map(({ row, from }) => ({
      from: new Date(from).toISOString(),
      to: new Date(from + partMs).toISOString(),
      ...figuresOf(row, partMs),
    }));
