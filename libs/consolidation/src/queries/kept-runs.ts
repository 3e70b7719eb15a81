import type { Recommendation, getConsolidation } from '@athena/contracts';
import { INVALID_INPUT, Refused, type Output } from '@athena/operation';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';
import type { Measured } from './measure-attempts.js';

/** What the column `report` of a run holds. */
type Report = Measured & { readonly recommendations: Recommendation[] };

/** A run as the table keeps it. */
export interface KeptRun {
  readonly id: string;
  /** Milliseconds. */
  readonly at: number;
  readonly toSeq: number;
  readonly events: number;
  readonly report: Report;
}

const COLUMNS = 'consolidation_id as id, at, to_seq as "toSeq", events, report';
/* A later run reaches further, or as far over more: that is the order of time. */
const PAGE = `
  select ${COLUMNS} from consolidations
  where project = $1
    and ($2::int8 is null or (to_seq, events, consolidation_id) < ($2, $3::int4, $4::uuid))
  order by to_seq desc, events desc, consolidation_id desc limit $5`;
const ONE = `select ${COLUMNS} from consolidations where project = $1 and consolidation_id = $2`;

/**
 * A project's runs, newest first, from behind the cursor on.
 * @throws Refused INVALID_INPUT, UNAVAILABLE
 */
export async function runsOf(
  pool: Pick<Pool, 'query'>,
  project: string,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ readonly runs: readonly KeptRun[]; readonly nextCursor: string | null }> {
  const behind = cursor === undefined ? [null, null, null] : decodeCursor(cursor);
  const values = [project, ...behind, limit + 1];
  const asked = pool.query<KeptRun>({ text: PAGE, values, types: ROW_TYPES });
  const { rows } = await orUnavailable(asked);
  const runs = rows.slice(0, limit);
  const last = rows.length > limit ? runs.at(-1) : undefined;
  return { runs, nextCursor: last ? encodeCursor(last) : null };
}

/** @throws Refused UNAVAILABLE */
export async function runOf(
  pool: Pick<Pool, 'query'>,
  project: string,
  id: string,
): Promise<KeptRun | undefined> {
  const asked = pool.query<KeptRun>({ text: ONE, values: [project, id], types: ROW_TYPES });
  return (await orUnavailable(asked)).rows[0];
}

type Kept = Output<typeof getConsolidation>;

/** What both the list and the single read tell of a run. */
export function recordOf({
  id,
  at,
  report,
}: KeptRun): Pick<Kept, 'consolidationId' | 'at' | 'covered' | 'total'> {
  const { from, to, tasks, attempts } = report.covered;
  return {
    consolidationId: id,
    at: instant(at),
    covered: { from: instant(from), to: instant(to), tasks, events: attempts },
    total: report.total,
  };
}

const instant = (ms: number): string => new Date(ms).toISOString();

const FORM = /^(\d{1,15})~(\d{1,9})~([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

const encodeCursor = ({ toSeq, events, id }: KeptRun): string =>
  Buffer.from(`${toSeq}~${events}~${id}`).toString('base64url');

function decodeCursor(cursor: string): readonly string[] {
  const [, ...place] = FORM.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (place.length > 0) return place;
  throw Refused.because(INVALID_INPUT, 'cursor: use a nextCursor as it was given', 'cursor');
}
