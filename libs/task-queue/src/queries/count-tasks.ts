import { limits, type countTasks as operation } from '@athena/contracts';
import type { Output } from '@athena/operation';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';
import { FILTERS, Parameters, conditionsOf, type Filter, type Search } from './search.js';

type Count = Output<typeof operation>;

/** What the projection's tally knows of each task. */
const TALLIED: readonly Filter[] = ['status', 'taskType', 'priority'];

/**
 * How many tasks of the project the search finds: exactly where the projection's tally tells, else
 * up to COUNTED_TASKS_MAX.
 * @throws Refused UNAVAILABLE
 */
export async function countTasks(
  pool: Pick<Pool, 'query'>,
  project: string,
  search: Search,
): Promise<Count> {
  const tallied = FILTERS.every((one) => search[one] === undefined || TALLIED.includes(one));
  const statement = countStatement(project, search, tallied ? 'tally' : 'tasks');
  const query = { ...statement, types: ROW_TYPES };
  const { rows } = await orUnavailable(pool.query<{ n: number }>(query));
  const n = rows[0]?.n ?? 0;
  const exact = tallied || n <= limits.COUNTED_TASKS_MAX;
  return { count: exact ? n : limits.COUNTED_TASKS_MAX, exact };
}

export function countStatement(
  project: string,
  search: Search,
  from: 'tally' | 'tasks',
): { text: string; values: unknown[] } {
  const parameters = new Parameters();
  const conditions = [`project = ${parameters.add(project)}`, ...conditionsOf(search, parameters)];
  const where = conditions.join(' and ');
  const text =
    from === 'tally'
      ? `select coalesce(sum(n), 0)::int8 as n from task_counts_v2 where ${where}`
      : `select count(*) as n from (select 1 from tasks where ${where} ` +
        `limit ${parameters.add(limits.COUNTED_TASKS_MAX + 1)}) as found`;
  return { text, values: parameters.values };
}
