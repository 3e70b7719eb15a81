import type { triggerConsolidation } from '@athena/contracts';
import type { Output } from '@athena/operation';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { recommend } from '../domain/rules.js';
import { measureAttempts, type Measured } from '../queries/measure-attempts.js';
import { observeNow } from '../queries/observe-now.js';

type Consolidation = Output<typeof triggerConsolidation>;

interface Earlier {
  /** Outcomes of the batch that came after everything that earlier runs covered. */
  readonly new_events: number;
  /** Whether a run covered as many and the same last one. */
  readonly repeated: boolean;
}

/* An outcome's position grows with the log, so that a run covered all that is not after its end. */
const EARLIER = `
  select
    (select count(*) from (
      select (o ->> 'seq')::int8 as seq from (
        select outcomes from attempt_outcomes
        where project = $1 and last_at is not null
        order by last_at desc, last_seq desc limit $3
      ) as t, jsonb_array_elements(t.outcomes) as o
      order by 1 desc limit $3
    ) as batch where seq <= $2 and seq > coalesce(
      (select max(to_seq) from consolidations where project = $1), 0)) as new_events,
    exists (
      select from consolidations where project = $1 and to_seq >= $2 and events >= $3
    ) as repeated`;
const KEEP = `
  insert into consolidations (consolidation_id, project, at, to_seq, events, report)
  values ($1, $2, to_timestamp($3::float8 / 1000), $4, $5, $6::jsonb)`;

/** consolidation.trigger, as of `now` (milliseconds): works the figures out anew and keeps them. */
export async function consolidate(
  pool: Pick<Pool, 'query'>,
  project: string,
  now: number,
  batchSize: number,
): Promise<Consolidation> {
  const [measured, present] = await Promise.all([
    measureAttempts(pool, { project, since: null, until: now, limit: batchSize }),
    observeNow(pool, project, now),
  ]);
  const { covered, byType, byKind, byTypeAndKind } = measured;
  const earlier = await earlierRuns(pool, project, covered);
  const said = {
    covered: coveredOf(covered, earlier.new_events),
    insights: byType.length + byKind.length + byTypeAndKind.length,
    recommendations: recommend({ ...present, pairs: byTypeAndKind }),
  };
  if (covered.attempts === 0 || earlier.repeated) return { consolidationId: null, ...said };
  const consolidationId = randomUUID();
  const report = JSON.stringify({ ...measured, recommendations: said.recommendations });
  const { toSeq, attempts } = covered;
  const values = [consolidationId, project, now, toSeq, attempts, report];
  await orUnavailable(pool.query(KEEP, values));
  return { consolidationId, ...said };
}

async function earlierRuns(
  pool: Pick<Pool, 'query'>,
  project: string,
  { toSeq, attempts }: Measured['covered'],
): Promise<Earlier> {
  const values = [project, toSeq, attempts];
  const asked = pool.query<Earlier>({ text: EARLIER, values, types: ROW_TYPES });
  return (await orUnavailable(asked)).rows[0] as Earlier;
}

function coveredOf(
  { from, to, tasks, attempts }: Measured['covered'],
  newEvents: number,
): Consolidation['covered'] {
  const instant = (ms: number): string | null =>
    attempts === 0 ? null : new Date(ms).toISOString();
  return { from: instant(from), to: instant(to), tasks, events: attempts, newEvents };
}
