import { CONSOLIDATION_NOT_FOUND, type getConsolidation } from '@athena/contracts';
import { Refused, type Input, type Output } from '@athena/operation';
import type { Pool } from 'pg';
import { recordOf, runOf } from '../queries/kept-runs.js';

/** consolidation.get. @throws Refused CONSOLIDATION_NOT_FOUND, UNAVAILABLE */
export async function consolidation(
  pool: Pick<Pool, 'query'>,
  project: string,
  { consolidationId }: Input<typeof getConsolidation>,
): Promise<Output<typeof getConsolidation>> {
  const run = await runOf(pool, project, consolidationId);
  if (!run) throw Refused.because(CONSOLIDATION_NOT_FOUND, `no consolidation ${consolidationId}`);
  const { byType, byKind, byTypeAndKind, recommendations } = run.report;
  return { ...recordOf(run), byType, byKind, byTypeAndKind, recommendations };
}
