import { limits, type BulkStatus, type bulkTasks } from '@athena/contracts';
import type { Actor, Input } from '@athena/operation';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool, PoolClient } from 'pg';
import { Parameters, conditionsOf } from '../queries/search.js';
import { actions, type Wanted } from './actions.js';

type Request = Input<typeof bulkTasks>;

/** What the filter finds now. */
export interface Matched {
  readonly matched: number;
  readonly sample: string[];
}

export interface Started extends Matched {
  readonly bulkId: string;
}

/** Some tasks of a job, for whoever holds its row. */
export interface Page extends Wanted {
  readonly bulkId: string;
  readonly project: string;
  readonly by: Actor;
  readonly taskIds: readonly string[];
  readonly refused: Readonly<Record<string, number>>;
}

/** What came of a page's tasks, by refusals' codes; the rest was changed. */
export type Refusals = Readonly<Record<string, number>>;

const STATUS = `
  bulk_id as "bulkId", action, state, matched, done, changed, refused, error, by,
  started_at as "startedAt", ended_at as "endedAt"`;

const FIND = `select ${STATUS} from bulk_jobs where bulk_id = $1 and project = $2`;

const FOUND = `
  select bulk_id as "bulkId", matched, task_ids[1:$4] as sample from bulk_jobs
  where project = $1 and (bulk_id = $2 or idempotency_key = $3)`;

const FORGET = `
  delete from bulk_jobs where project = $1 and ended_at < now() - $2 * interval '1 ms'`;

/** Whoever holds the row does the job; a process that dies lets go of it. */
const TAKE = `
  select bulk_id as "bulkId", project, action, priority, by, refused,
    task_ids[done + 1 : done + $1] as "taskIds"
  from bulk_jobs where state = 'running' order by looked_at limit 1
  for update skip locked`;

const NOTE = `
  update bulk_jobs set done = done + $2, changed = changed + $3, refused = $4,
    looked_at = clock_timestamp()
  where bulk_id = $1 returning done >= matched as over`;

const END = `
  update bulk_jobs set state = $2, error = $3, task_ids = '{}', ended_at = clock_timestamp()
  where bulk_id = $1`;

const ERROR_LENGTH_MAX = 1_000;

/** The bulk operations in Postgres: what they are about, and how far they are. */
export class BulkJobs {
  readonly #pool: Pick<Pool, 'query'>;

  constructor(pool: Pick<Pool, 'query'>) {
    this.#pool = pool;
  }

  /** @throws Refused UNAVAILABLE */
  async match(project: string, request: Request): Promise<Matched> {
    const values: unknown[] = [];
    const text = `${matchedText(project, request, values)}
      select count(*)::int4 as matched,
        array(select task_id from matched limit ${limits.BULK_SAMPLE}) as sample from matched`;
    const [found] = await this.#rows<Matched>(text, values);
    return found as Matched;
  }

  /**
   * Keeps which tasks it is about, so that it can be done from then on. A repeat of the command
   * finds what the first one began.
   * @returns null: too many are under way
   * @throws Refused UNAVAILABLE
   */
  async start(
    {
      id,
      project,
      actor,
    }: { readonly id: string; readonly project: string; readonly actor: Actor },
    request: Request,
  ): Promise<Started | null> {
    const { action, priority = null, idempotencyKey = null } = request;
    await this.#rows(FORGET, [project, limits.BULK_KEPT_MS]);
    const values: unknown[] = [id, project, idempotencyKey, action, priority, actor];
    const text = `${matchedText(project, request, values)}
      insert into bulk_jobs
        (bulk_id, project, idempotency_key, action, priority, by,
         task_ids, matched, state, ended_at)
      select $1, $2, $3, $4, $5, $6, ids, cardinality(ids),
        case cardinality(ids) when 0 then 'done' else 'running' end,
        case cardinality(ids) when 0 then now() end
      from (select array(select task_id from matched) as ids) as those
      where ${limits.BULKS_MAX} >
        (select count(*) from bulk_jobs where project = $2 and state = 'running')
      on conflict do nothing
      returning bulk_id as "bulkId", matched, task_ids[1:${limits.BULK_SAMPLE}] as sample`;
    const [started] = await this.#rows<Started>(text, values);
    if (started) return started;
    const before = [project, id, idempotencyKey, limits.BULK_SAMPLE];
    return (await this.#rows<Started>(FOUND, before))[0] ?? null;
  }

  /** @throws Refused UNAVAILABLE */
  async find(project: string, bulkId: string): Promise<BulkStatus | undefined> {
    type Row = BulkStatus & { readonly startedAt: number; readonly endedAt: number | null };
    const [row] = await this.#rows<Row>(FIND, [bulkId, project]);
    if (!row) return undefined;
    const endedAt = row.endedAt === null ? null : new Date(row.endedAt).toISOString();
    return { ...row, startedAt: new Date(row.startedAt).toISOString(), endedAt };
  }

  async #rows<T extends object>(text: string, values: unknown[]): Promise<T[]> {
    return (await orUnavailable(this.#pool.query<T>({ text, values, types: ROW_TYPES }))).rows;
  }
}

/** The tasks of the filter for which the action is possible, the oldest first. */
function matchedText(project: string, request: Request, values: unknown[]): string {
  const parameters = new Parameters(values);
  const $ = (value: unknown): string => parameters.add(value);
  const { filter, action, limit } = request;
  const conditions = [
    `project = ${$(project)}`,
    ...conditionsOf(filter, parameters),
    actions[action].possible(request, $),
  ];
  return `with matched as materialized (
    select task_id from tasks where ${conditions.join(' and ')}
    order by created_at, task_id limit ${$(limit)})`;
}

/** The next tasks of the job whose turn it is; its row is held until the transaction ends. */
export async function takePage(client: PoolClient, size: number): Promise<Page | undefined> {
  const { rows } = await client.query<Page>({ text: TAKE, values: [size], types: ROW_TYPES });
  return rows[0];
}

/** The page is done. */
export async function notePage(
  client: PoolClient,
  { bulkId, taskIds, refused }: Page,
  refusals: Refusals,
): Promise<void> {
  const sums = { ...refused };
  let changed = taskIds.length;
  for (const [code, n] of Object.entries(refusals)) {
    sums[code] = (sums[code] ?? 0) + n;
    changed -= n;
  }
  const values = [bulkId, taskIds.length, changed, JSON.stringify(sums)];
  const { rows } = await client.query<{ over: boolean }>(NOTE, values);
  if (rows[0]?.over) await client.query(END, [bulkId, 'done', null]);
}

/** None of the page is known to be done: it comes again, after the other jobs' turns. */
export async function putOff(client: PoolClient, { bulkId, refused }: Page): Promise<void> {
  await client.query(NOTE, [bulkId, 0, 0, JSON.stringify(refused)]);
}

/** It can't go on. */
export async function failJob(client: PoolClient, { bulkId }: Page, error: Error): Promise<void> {
  await client.query(END, [bulkId, 'failed', error.message.slice(0, ERROR_LENGTH_MAX)]);
}
