import type { queryTasks as operation } from '@athena/contracts';
import type { Input, Output } from '@athena/operation';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';
import { recordOfRow, type TaskRow } from '../projections/task-row.js';
import { decodeCursor, encodeCursor, type PagePosition } from './page-cursor.js';
import { pageStatement } from './page-statement.js';
import { FILTERS, PRIORITIES } from './search.js';

type Search = Input<typeof operation>;
type Page = Output<typeof operation>;

/**
 * One page of the project's tasks. A task that is there all the while is on exactly one page,
 * whatever else is written meanwhile. One that changes in what the search asks for, or ends where
 * tasks are sorted by their end, may be missed or, where it moved, be met again.
 * @throws Refused INVALID_INPUT at a cursor of another search, UNAVAILABLE
 */
export async function queryTasks(
  pool: Pick<Pool, 'query'>,
  project: string,
  search: Search,
): Promise<Page> {
  const owner = searchText(project, search);
  const after = search.cursor === undefined ? null : decodeCursor(search.cursor, owner);
  const statement = pageStatement(project, search, after);
  const { rows } = await orUnavailable(pool.query<TaskRow>({ ...statement, types: ROW_TYPES }));
  const last = rows.length > search.limit ? (rows[search.limit - 1] as TaskRow) : null;
  return {
    tasks: rows.slice(0, search.limit).map(recordOfRow),
    nextCursor: last && encodeCursor(positionOf(last, search), owner),
  };
}

/** What a cursor belongs to. */
const searchText = (project: string, search: Search): string =>
  JSON.stringify([project, ...ASKED.map((field) => search[field] ?? null)]);

const ASKED = [...FILTERS, 'sort', 'order'] as const;

const positionOf = (row: TaskRow, { sort }: Search): PagePosition => ({
  rank: sort === 'priority' ? PRIORITIES.indexOf(row.priority) : 0,
  at: sort === 'completedAt' ? (row.completed_at as number) : row.created_at,
  taskId: row.task_id,
});
