import { limits, type getInsights } from '@athena/contracts';
import type { Input, Output } from '@athena/operation';
import type { Pool } from 'pg';
import { measureAttempts } from '../queries/measure-attempts.js';

/** insights.get, as of `now` (milliseconds). */
export async function insights(
  pool: Pick<Pool, 'query'>,
  project: string,
  now: number,
  { taskType, kind, windowMs }: Input<typeof getInsights>,
): Promise<Output<typeof getInsights>> {
  const { covered, ...figures } = await measureAttempts(pool, {
    project,
    since: now - windowMs,
    until: now,
    limit: limits.INSIGHTS_ATTEMPTS_MAX,
    ...(taskType === undefined ? {} : { taskType }),
    ...(kind === undefined ? {} : { kind }),
  });
  const { from, to, tasks, attempts, cut } = covered;
  return {
    covered: {
      from: new Date(from).toISOString(),
      to: new Date(to).toISOString(),
      tasks,
      attempts,
      cut,
    },
    ...figures,
  };
}
