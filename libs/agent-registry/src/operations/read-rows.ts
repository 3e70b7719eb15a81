import { ROW_TYPES, orUnavailable } from '@athena/projection';
import type { Pool, QueryResultRow } from 'pg';

/** Reads rows by a prepared statement; instants come as milliseconds. @throws Refused */
export type ReadRows = <R extends QueryResultRow>(
  name: string,
  text: string,
  values: readonly unknown[],
) => Promise<R[]>;

export const rowReader =
  (pool: Pool): ReadRows =>
  async <R extends QueryResultRow>(name: string, text: string, values: readonly unknown[]) => {
    const query = { name, text, values: [...values], types: ROW_TYPES };
    return (await orUnavailable(pool.query<R>(query))).rows;
  };
