import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool } from 'pg';
import type { FinishedTask } from '../domain/state.js';
import { recordOfRow, taskColumns, type TaskRow } from '../projections/task-row.js';

type Found = ReadonlyMap<string, FinishedTask>;

const COLUMNS = taskColumns.map(({ name }) => name).join(', ');
const TEXT = `select ${COLUMNS} from tasks where task_id = any($1::uuid[])`;

/**
 * Tasks by id, whatever their project; ids without a task are left out.
 * @throws Refused UNAVAILABLE
 */
export async function findTasks(pool: Pick<Pool, 'query'>, ids: readonly string[]): Promise<Found> {
  const query = { name: 'tasks_by_id', text: TEXT, values: [ids], types: ROW_TYPES };
  const { rows } = await orUnavailable(pool.query<TaskRow>(query));
  return new Map(
    rows.map((row) => [
      row.task_id,
      { project: row.project, record: recordOfRow(row), lease: row.lease },
    ]),
  );
}
