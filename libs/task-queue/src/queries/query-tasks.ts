import type { queryTasks as operation, TaskRecord } from '@athena/contracts';
import type { Input, Output } from '@athena/operation';
import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';
import { recordOfRow, taskColumns, type TaskRow } from '../projections/task-row.js';
import { decodeCursor, encodeCursor } from './page-cursor.js';

type Search = Input<typeof operation>;
type Page = Output<typeof operation>;

/** Filters by the condition they stand for; `?` is the filter's value, always a parameter. */
const CONDITIONS = {
  status: 'status = ?',
  agentId: 'assigned_to = ?',
  taskType: 'task_type = ?',
  priority: 'priority = ?',
  batchId: 'batch_id = ?',
  deadLettered: 'dead_lettered = ?',
  createdAfter: 'created_at > ?::timestamptz',
  createdBefore: 'created_at < ?::timestamptz',
} as const satisfies Partial<Record<keyof Search, string>>;

const INSTANTS: ReadonlySet<string> = new Set(['createdAfter', 'createdBefore']);
const FILTERS = Object.keys(CONDITIONS) as (keyof typeof CONDITIONS)[];
const COLUMNS = taskColumns.map(({ name }) => name).join(', ');

export type TaskFilter = Pick<Search, keyof typeof CONDITIONS>;

/** What a filter asks of `tasks`; `parameter` takes a value and says what stands for it. */
export const conditionsOf = (filter: TaskFilter, parameter: (value: unknown) => string): string[] =>
  FILTERS.flatMap((name) => {
    const value = filter[name];
    if (value === undefined) return [];
    const given = INSTANTS.has(name) ? storable(value as string) : value;
    return [CONDITIONS[name].replace('?', parameter(given))];
  });

/**
 * One page of the project's tasks, newest first.
 * @throws Refused INVALID_INPUT at a cursor of another search, UNAVAILABLE
 */
export async function queryTasks(
  pool: Pick<Pool, 'query'>,
  project: string,
  search: Search,
): Promise<Page> {
  const { text, values } = statementOf(project, search);
  const { rows } = await orUnavailable(pool.query<TaskRow>({ text, values, types: ROW_TYPES }));
  const tasks: TaskRecord[] = rows.slice(0, search.limit).map(recordOfRow);
  const last = rows.length > search.limit ? (rows[search.limit - 1] as TaskRow) : null;
  return { tasks, nextCursor: last && cursorBehind(last, project, search) };
}

/** What a cursor belongs to. */
const searchText = (project: string, search: Search): string =>
  JSON.stringify([project, ...FILTERS.map((filter) => search[filter] ?? null)]);

const cursorBehind = (row: TaskRow, project: string, search: Search): string =>
  encodeCursor({ createdAt: row.created_at, taskId: row.task_id }, searchText(project, search));

/** Postgres knows no year 0; nothing was created before 1970 either. */
const storable = (instant: string): string =>
  new Date(Math.max(0, Date.parse(instant))).toISOString();

function statementOf(project: string, search: Search): { text: string; values: unknown[] } {
  const values: unknown[] = [project];
  const parameter = (value: unknown): string => `$${values.push(value)}`;
  const conditions = ['project = $1', ...conditionsOf(search, parameter)];
  if (search.cursor !== undefined) {
    const { createdAt, taskId } = decodeCursor(search.cursor, searchText(project, search));
    const instant = parameter(new Date(createdAt).toISOString());
    conditions.push(
      `(created_at, task_id) < (${instant}::timestamptz, ${parameter(taskId)}::uuid)`,
    );
  }
  const text =
    `select ${COLUMNS} from tasks where ${conditions.join(' and ')} ` +
    `order by created_at desc, task_id desc limit ${parameter(search.limit + 1)}`;
  return { text, values };
}
