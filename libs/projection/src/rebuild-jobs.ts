import type { Seq } from '@athena/event-log';
import type { Pool, PoolClient } from 'pg';
import type { Rebuilt } from './rebuild.js';
import { ROW_TYPES } from './row-table.js';

/** A process that was not heard of for this long does nothing any more. */
export const SILENCE_MS_MAX = 15_000;
/** The same of the process that does a job: another one looks whether it still leads. */
const JOB_SILENCE_MS_MAX = 5_000;
const ERROR_LENGTH_MAX = 1_000;

export type RebuildKind = 'rebuild' | 'rollback';
export type RebuildState = 'requested' | 'running' | 'switched' | 'rolled_back' | 'failed';

interface ProjectionId {
  readonly name: string;
  readonly version: number;
}

/** A rebuild or rollback that was asked for; of each projection the last one is kept. */
export interface RebuildJob extends ProjectionId {
  /** Of the command that asked. */
  readonly id: string;
  readonly kind: RebuildKind;
  readonly state: RebuildState;
  readonly requestedBy: string;
  readonly attempt: number;
  readonly seq: Seq;
  readonly events: number;
  readonly error: string | null;
  /** Milliseconds, as all instants. */
  readonly requestedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** From its start to its end, or to now. */
  readonly seconds: number;
}

/** What is known of a projection, whichever process keeps it. */
export interface KnownProjection extends ProjectionId {
  readonly service: string;
  /** Of its writer, or the best there is of its other processes; `away`: none was heard of. */
  readonly state: 'writing' | 'retrying' | 'failed' | 'standby' | 'away';
  readonly rebuildable: boolean;
  readonly position: Seq;
  /** Position of the table that the last rebuild replaced, where it is kept. */
  readonly previousPosition: Seq | null;
  readonly job: RebuildJob | null;
}

/** A process's part in a projection, as it says itself. */
export interface HostedProjection extends ProjectionId {
  readonly service: string;
  readonly state: string;
  readonly rebuildable: boolean;
}

const JOB = `
  r.name, r.version, r.id, r.kind, r.state, r.requested_by as "requestedBy", r.attempt, r.seq,
  r.events, r.error, r.requested_at as "requestedAt", r.started_at as "startedAt",
  r.ended_at as "endedAt",
  coalesce(extract(epoch from coalesce(r.ended_at, now()) - r.started_at), 0)::float8 as seconds`;

const REQUEST = `
  insert into projection_rebuilds as r (name, version, id, kind, requested_by, state)
  select $1, $2::int, $3, $4, $5, 'requested'
  where $4 = 'rebuild' or exists (
    select 1 from projection_checkpoints where name = $1 and version = $2 and slot = 'previous')
  on conflict (name, version) do update set id = excluded.id, kind = excluded.kind,
    requested_by = excluded.requested_by, state = 'requested', attempt = 0, seq = 0, events = 0,
    error = null, requested_at = now(), started_at = null, heard_at = null, ended_at = null
  where r.state not in ('requested', 'running') and r.id <> excluded.id
  returning ${JOB}`;

const FIND = `select ${JOB} from projection_rebuilds r where r.name = $1 and r.version = $2`;

const WAITING = `
  r.state in ('requested', 'running')
  and (r.heard_at is null or r.heard_at < now() - $1 * interval '1 ms')`;
const NEXT = `
  select ${JOB} from projection_rebuilds r
    join unnest($2::text[], $3::int[]) as mine (name, version) using (name, version)
  where ${WAITING} order by r.requested_at limit 1`;
const TAKE = `
  update projection_rebuilds r set state = 'running', attempt = attempt + 1,
    started_at = coalesce(started_at, now()), heard_at = now()
  where ${WAITING} and r.name = $2 and r.version = $3
  returning ${JOB}`;

const REPORT = `
  insert into projection_hosts as h (name, version, process, service, state, rebuildable)
  select name, version, $1, service, state, rebuildable
  from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::bool[])
    as t (name, version, service, state, rebuildable)
  on conflict (name, version, process) do update
    set service = excluded.service, state = excluded.state,
      rebuildable = excluded.rebuildable, seen_at = now()`;
/** What other processes left behind, of projections that are kept here. */
const TIDY = `
  delete from projection_hosts where name = any($1::text[])
    and seen_at < now() - $2 * interval '1 ms'`;

const KNOWN = `
  select distinct on (h.name, h.version) h.name, h.version, h.service, h.rebuildable,
    case when h.heard and h.state <> 'stopped' then h.state else 'away' end as state,
    coalesce(l.seq, 0) as position, p.seq as "previousPosition"
  from (select *, seen_at > now() - $1 * interval '1 ms' as heard from projection_hosts) h
    left join projection_checkpoints l
      on l.name = h.name and l.version = h.version and l.slot = 'live'
    left join projection_checkpoints p
      on p.name = h.name and p.version = h.version and p.slot = 'previous'
  order by h.name, h.version, h.heard desc,
    array_position(array['writing', 'retrying', 'failed', 'standby'], h.state)`;

/** The table by which those who ask for rebuilds and the processes that do them find together. */
export class RebuildJobs {
  readonly #pool: Pick<Pool, 'query'>;

  constructor(pool: Pick<Pool, 'query'>) {
    this.#pool = pool;
  }

  /**
   * Asks for a job. Where one of the same kind is under way, or was asked for by the same command,
   * that one is the answer.
   * @returns null: another kind is under way · 'nothing kept': there is nothing to go back to
   */
  async request(
    { name, version }: ProjectionId,
    { id, kind, by }: { readonly id: string; readonly kind: RebuildKind; readonly by: string },
  ): Promise<RebuildJob | 'nothing kept' | null> {
    const [made] = await this.#jobs(REQUEST, [name, version, id, kind, by]);
    if (made) return made;
    const [found] = await this.#jobs(FIND, [name, version]);
    if (found?.id === id) return found;
    if (!found || isOver(found)) return 'nothing kept';
    return found.kind === kind ? found : null;
  }

  async known(): Promise<readonly KnownProjection[]> {
    const values = [SILENCE_MS_MAX];
    const known = await this.#pool.query<Omit<KnownProjection, 'job'>>({
      text: KNOWN,
      values,
      types: ROW_TYPES,
    });
    const jobs = await this.#jobs(`select ${JOB} from projection_rebuilds r`, []);
    return known.rows.map((one) => ({
      ...one,
      job: jobs.find(({ name, version }) => name === one.name && version === one.version) ?? null,
    }));
  }

  /** What this process keeps. */
  async report(process: string, hosted: readonly HostedProjection[]): Promise<void> {
    const names = hosted.map(({ name }) => name);
    await this.#pool.query(REPORT, [
      process,
      names,
      hosted.map(({ version }) => version),
      hosted.map(({ service }) => service),
      hosted.map(({ state }) => state),
      hosted.map(({ rebuildable }) => rebuildable),
    ]);
    await this.#pool.query(TIDY, [names, SILENCE_MS_MAX]);
  }

  /** One of these projections' jobs that nobody does now. */
  async next(mine: readonly ProjectionId[]): Promise<RebuildJob | undefined> {
    const [names, versions] = [mine.map(({ name }) => name), mine.map(({ version }) => version)];
    return (await this.#jobs(NEXT, [JOB_SILENCE_MS_MAX, names, versions]))[0];
  }

  async #jobs(text: string, values: unknown[]): Promise<RebuildJob[]> {
    const { rows } = await this.#pool.query<RebuildJob>({ text, values, types: ROW_TYPES });
    return rows;
  }
}

const isOver = ({ state }: RebuildJob): boolean => state !== 'requested' && state !== 'running';

/** Takes a job up, on the connection that leads its projection's rebuilds. */
export async function takeJob(
  client: PoolClient,
  { name, version }: ProjectionId,
): Promise<RebuildJob | undefined> {
  const values = [JOB_SILENCE_MS_MAX, name, version];
  const { rows } = await client.query<RebuildJob>({ text: TAKE, values, types: ROW_TYPES });
  return rows[0];
}

/** @throws JobLost */
export const noteProgress = (client: PoolClient, job: RebuildJob, at: Rebuilt): Promise<void> =>
  change(client, job, 'seq = $5, events = $6, heard_at = now()', [at.seq, at.events]);

/** @throws JobLost */
export const endJob = (client: PoolClient, job: RebuildJob, at: Rebuilt): Promise<void> =>
  change(client, job, 'seq = $5, events = $6, state = $7, ended_at = now()', [
    at.seq,
    at.events,
    job.kind === 'rebuild' ? 'switched' : 'rolled_back',
  ]);

/** @throws JobLost */
export const failJob = (client: PoolClient, job: RebuildJob, error: Error): Promise<void> =>
  change(client, job, `state = 'failed', error = $5, ended_at = now()`, [
    error.message.slice(0, ERROR_LENGTH_MAX),
  ]);

/** Whoever comes next may go on with it at once. @throws JobLost */
export const giveJobUp = (client: PoolClient, job: RebuildJob): Promise<void> =>
  change(client, job, 'heard_at = null', []);

/** Another process does the job, or it was asked for anew. */
export class JobLost extends Error {
  override readonly name = 'JobLost';
}

async function change(
  client: PoolClient,
  { name, version, id, attempt }: RebuildJob,
  set: string,
  values: readonly unknown[],
): Promise<void> {
  const { rowCount } = await client.query(
    `update projection_rebuilds set ${set}
     where name = $1 and version = $2 and id = $3 and attempt = $4 and state = 'running'`,
    [name, version, id, attempt, ...values],
  );
  if (rowCount !== 1) throw new JobLost(`another process does the ${name} job now`);
}
