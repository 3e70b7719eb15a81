import type { listConsolidations } from '@athena/contracts';
import type { Input, Output } from '@athena/operation';
import type { Pool } from 'pg';
import { recordOf, runsOf } from '../queries/kept-runs.js';

/** consolidation.list: summaries, since whole reports are long. */
export async function consolidations(
  pool: Pick<Pool, 'query'>,
  project: string,
  input: Input<typeof listConsolidations>,
): Promise<Output<typeof listConsolidations>> {
  const { runs, nextCursor } = await runsOf(pool, project, input);
  const rows = runs.map((run) => {
    const { byType, byKind, byTypeAndKind, recommendations } = run.report;
    return {
      ...recordOf(run),
      insights: byType.length + byKind.length + byTypeAndKind.length,
      recommendations: recommendations.length,
    };
  });
  return { consolidations: rows, nextCursor };
}
