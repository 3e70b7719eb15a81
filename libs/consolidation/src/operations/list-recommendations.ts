import { limits, type listRecommendations } from '@athena/contracts';
import type { Input, Output } from '@athena/operation';
import type { Pool } from 'pg';
import { recommend } from '../domain/rules.js';
import { measureAttempts } from '../queries/measure-attempts.js';
import { observeNow } from '../queries/observe-now.js';

/** recommendations.list, as of `now` (milliseconds). */
export async function recommendations(
  pool: Pick<Pool, 'query'>,
  project: string,
  now: number,
  { windowMs }: Input<typeof listRecommendations>,
): Promise<Output<typeof listRecommendations>> {
  const limit = limits.INSIGHTS_ATTEMPTS_MAX;
  const [measured, present] = await Promise.all([
    measureAttempts(pool, { project, since: now - windowMs, until: now, limit }),
    observeNow(pool, project, now),
  ]);
  return {
    attempts: measured.covered.attempts,
    recommendations: recommend({ ...present, pairs: measured.byTypeAndKind }),
  };
}
