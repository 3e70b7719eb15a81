import {
  NO_PREVIOUS_PROJECTION,
  PROJECTION_BUSY,
  PROJECTION_NOT_FOUND,
  PROJECTION_NOT_REBUILDABLE,
  listProjections,
  rebuildProjection,
  rollbackProjection,
  type ProjectionJob,
  type ProjectionState,
} from '@athena/contracts';
import type { EventLog, Seq } from '@athena/event-log';
import { Refused, UNAVAILABLE, type Actor } from '@athena/operation';
import {
  RebuildJobs,
  orUnavailable,
  type KnownProjection,
  type RebuildJob,
  type RebuildKind,
} from '@athena/projection';
import type { ServiceHandler } from '@athena/service-kit';
import type { Pool } from 'pg';
import { askLog } from './ask-log.js';

export interface ProjectionsOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly log: Pick<EventLog, 'endSeq'>;
}

/** projections.list: the projections of all services. */
export const handleListProjections = ({
  pool,
  log,
}: ProjectionsOptions): ServiceHandler<typeof listProjections> => ({
  operation: listProjections,
  async handle() {
    const known = await orUnavailable(new RebuildJobs(pool).known());
    // Asked afterwards: no projection is ahead of it.
    const end = await askLog(log.endSeq());
    return { output: { projections: known.map((one) => stateOf(one, end)) }, seq: end };
  },
});

/** projections.rebuild: asks the processes that keep the projection to do it. */
export const handleRebuildProjection = (
  options: ProjectionsOptions,
): ServiceHandler<typeof rebuildProjection> => ({
  operation: rebuildProjection,
  handle: ({ name }, caller) => request(options, name, 'rebuild', caller),
});

/** projections.rollback */
export const handleRollbackProjection = (
  options: ProjectionsOptions,
): ServiceHandler<typeof rollbackProjection> => ({
  operation: rollbackProjection,
  handle: ({ name }, caller) => request(options, name, 'rollback', caller),
});

async function request(
  { pool, log }: ProjectionsOptions,
  name: string,
  kind: RebuildKind,
  { id, actor }: { readonly id: string; readonly actor: Actor },
): Promise<{ output: ProjectionJob; seq: Seq }> {
  const jobs = new RebuildJobs(pool);
  const projection = choose(await orUnavailable(jobs.known()), name);
  const job = await orUnavailable(jobs.request(projection, { id, kind, by: actor }));
  if (job === 'nothing kept') {
    throw Refused.because(NO_PREVIOUS_PROJECTION, `nothing was kept of ${name}`, 'name');
  }
  if (!job) throw Refused.because(PROJECTION_BUSY, `${name} has another job under way`, 'name');
  const end = await askLog(log.endSeq());
  return { output: jobOf(job, end), seq: end };
}

/** Of several versions the newest one. @throws Refused */
function choose(known: readonly KnownProjection[], name: string): KnownProjection {
  const projection = known.findLast((one) => one.name === name);
  if (!projection) {
    const names = [...new Set(known.map((one) => one.name))].join(', ') || 'none yet';
    throw Refused.because(
      PROJECTION_NOT_FOUND,
      `no projection ${name}; there are: ${names}`,
      'name',
    );
  }
  const { rebuildable, state, service } = projection;
  if (!rebuildable) {
    const detail = `${name} is the archive itself, the second copy of the log, and no fold of it`;
    throw Refused.because(PROJECTION_NOT_REBUILDABLE, detail, 'name');
  }
  if (state === 'away') {
    throw Refused.because(UNAVAILABLE, `no process of ${service}, which keeps ${name}, is there`);
  }
  return projection;
}

const stateOf = (known: KnownProjection, end: Seq): ProjectionState => {
  const { name, version, service, state, position, rebuildable, previousPosition, job } = known;
  const lag = Math.max(0, end - position);
  const told = { name, version, service, state, position, lag, rebuildable, previousPosition };
  return { ...told, job: job && jobOf(job, end) };
};

const jobOf = (job: RebuildJob, end: Seq): ProjectionJob => {
  const { id, kind, state, requestedBy, events, error } = job;
  const seconds = Math.round(job.seconds * 1_000) / 1_000;
  return {
    id,
    kind,
    state,
    requestedBy,
    requestedAt: new Date(job.requestedAt).toISOString(),
    startedAt: isoOf(job.startedAt),
    endedAt: isoOf(job.endedAt),
    progress: progressOf(job, end),
    events,
    seconds,
    error,
  };
};

const isoOf = (at: number | null): string | null =>
  at === null ? null : new Date(at).toISOString();

function progressOf({ state, seq }: RebuildJob, end: Seq): number {
  if (state === 'switched' || state === 'rolled_back') return 1;
  return end === 0 ? 0 : Math.min(1, seq / end);
}
