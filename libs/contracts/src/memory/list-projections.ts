import { UNAVAILABLE, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count, instant } from '../schemas.js';

/** A rebuild or a rollback; each projection's last one is told. */
export const projectionJob = z.object({
  /** The command’s that asked for it. */
  id: z.string(),
  kind: z.enum(['rebuild', 'rollback']),
  /** `switched` and `rolled_back`: its table has taken the place of the one before. */
  state: z.enum(['requested', 'running', 'switched', 'rolled_back', 'failed']),
  requestedBy: z.string(),
  requestedAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  /** How much of the log is folded, 0 to 1; 1 where it is over. */
  progress: z.number().min(0).max(1),
  /** Folded since it began, or since it was last taken up. */
  events: count,
  /** From its start to its end, or to now. */
  seconds: z.number().min(0),
  error: z.string().nullable(),
});
export type ProjectionJob = z.output<typeof projectionJob>;

export const projection = z.object({
  name: z.string(),
  version: count,
  service: z.string(),
  /** `standby`: it has no writer now · `away`: no process that keeps it was heard of lately. */
  state: z.enum(['writing', 'retrying', 'failed', 'standby', 'away']),
  /** Position in the log that its rows reflect. */
  position: count,
  /** Commits between its position and the log’s end. */
  lag: count,
  /** False: the archive, which is a copy of the log and no fold. */
  rebuildable: z.boolean(),
  /** Position of the table that the last rebuild replaced; null: none is kept. */
  previousPosition: count.nullable(),
  /** Null: none was ever asked for. */
  job: projectionJob.nullable(),
});
export type ProjectionState = z.output<typeof projection>;

export const listProjections = defineQuery({
  name: 'projections.list',
  summary: 'The projections: who keeps them, how far they are, and their rebuilds.',
  scope: 'admin',
  to: { service: 'episodic-memory' },
  http: { method: 'GET', path: '/v1/projections' },
  input: z.strictObject({}),
  output: z.object({ projections: z.array(projection) }),
  refusals: [UNAVAILABLE],
});
