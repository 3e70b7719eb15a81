import type { queueMetrics as operation, Priority, TaskStatus } from '@athena/contracts';
import type { Output } from '@athena/operation';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';

type Metrics = Output<typeof operation>;
type Percentiles = Metrics['waitMs'];

/** Percentiles are those of this many tasks, the ones that finished last. */
export const MEASURED_TASKS = 1_000;
const THROUGHPUT_WINDOW_MS = 60_000;

interface CountRow {
  readonly status: TaskStatus;
  readonly priority: Priority;
  readonly task_type: string;
  readonly retried: 'yes' | 'no';
  readonly n: number;
}

interface TimesRow {
  readonly wait_ms: readonly number[] | null;
  readonly run_ms: readonly number[] | null;
}

const COUNTS = `
  select status, priority, task_type, retried, n from task_counts_v2
  where project = $1 and n > 0`;
const OLDEST_PENDING = `
  select min(at) as at from unnest(array['low', 'medium', 'high']) as lane (priority), lateral (
    select created_at as at from tasks
    where project = $1 and status = 'pending' and priority = lane.priority
    order by created_at limit 1
  ) as oldest`;
const THROUGHPUT = `
  select count(*) as n from tasks
  where project = $1 and status = 'completed' and completed_at > $2::timestamptz`;
const FRACTIONS = 'array[0.5, 0.95, 0.99]';
const TIMES = `
  select percentile_cont(${FRACTIONS}) within group (order by wait_ms) as wait_ms,
         percentile_cont(${FRACTIONS}) within group (order by run_ms) as run_ms
  from (
    select (extract(epoch from assigned_at - created_at) * 1000)::float8 as wait_ms, run_ms
    from unnest(array['completed', 'failed', 'cancelled']) as lane (status), lateral (
      select task_id, completed_at, assigned_at, created_at, execution_duration_ms as run_ms
      from tasks
      where project = $1 and status = lane.status and completed_at is not null
      order by completed_at desc, task_id desc limit $2
    ) as last
    order by completed_at desc, task_id desc limit $2
  ) as last_finished`;

/**
 * The project's queue in figures, as of `now` (milliseconds).
 * @throws Refused UNAVAILABLE
 */
export async function queueMetrics(
  pool: Pick<Pool, 'query'>,
  project: string,
  now: number,
): Promise<Metrics> {
  const ask = async <T extends object>(text: string, ...values: unknown[]): Promise<T[]> =>
    (await orUnavailable(pool.query<T>({ text, values: [project, ...values], types: ROW_TYPES })))
      .rows;
  const since = new Date(now - THROUGHPUT_WINDOW_MS).toISOString();
  const [counts, [oldest], [done], [times]] = await Promise.all([
    ask<CountRow>(COUNTS),
    ask<{ at: number | null }>(OLDEST_PENDING),
    ask<{ n: number }>(THROUGHPUT, since),
    ask<TimesRow>(TIMES, MEASURED_TASKS),
  ]);
  const oldestAt = oldest?.at ?? null;
  return {
    byStatus: sumBy(counts, STATUSES, ({ status }) => status),
    byPriority: sumBy(counts, PRIORITIES, ({ priority }) => priority),
    byType: sumBy<string>(counts, [], ({ task_type }) => task_type),
    oldestPendingMs: oldestAt === null ? null : Math.max(0, now - oldestAt),
    throughputPerMinute: done?.n ?? 0,
    waitMs: percentiles(times?.wait_ms),
    runMs: percentiles(times?.run_ms),
    ...ratesOf(counts),
  };
}

const STATUSES = [
  'pending',
  'assigned',
  'running',
  'completed',
  'failed',
  'blocked',
  'cancelled',
] as const satisfies readonly TaskStatus[];
const PRIORITIES = ['low', 'medium', 'high'] as const satisfies readonly Priority[];

/** Every name that is known beforehand is there, be it with 0. */
function sumBy<K extends string>(
  rows: readonly CountRow[],
  known: readonly K[],
  nameOf: (row: CountRow) => K,
): Record<K, number> {
  const sums = new Map<K, number>(known.map((name) => [name, 0]));
  for (const row of rows) sums.set(nameOf(row), (sums.get(nameOf(row)) ?? 0) + row.n);
  return Object.fromEntries(sums) as Record<K, number>;
}

/** Success: completed among completed and failed. Retry: those of them that ran more than once. */
function ratesOf(rows: readonly CountRow[]): Pick<Metrics, 'successRate' | 'retryRate'> {
  const total = (picked: readonly CountRow[]): number => picked.reduce((sum, { n }) => sum + n, 0);
  const ended = rows.filter(({ status }) => status === 'completed' || status === 'failed');
  const all = total(ended);
  if (all === 0) return { successRate: null, retryRate: null };
  return {
    successRate: total(ended.filter(({ status }) => status === 'completed')) / all,
    retryRate: total(ended.filter(({ retried }) => retried === 'yes')) / all,
  };
}

const percentiles = (values: readonly number[] | null | undefined): Percentiles => ({
  p50: values?.[0] ?? null,
  p95: values?.[1] ?? null,
  p99: values?.[2] ?? null,
});
