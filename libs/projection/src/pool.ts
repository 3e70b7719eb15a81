import { Pool } from 'pg';
import { SteadyClient } from './steady-client.js';

const CONNECTIONS_MAX = 10;
const CONNECT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 20_000;
/** For a server that does not even answer that the statement took too long. */
const ANSWER_MS_MAX = 25_000;

/** Sessions of a known form; compiling plans costs more than our short statements take. */
const SESSION = '-c timezone=UTC -c datestyle=ISO -c jit=off';

/** Connections for hand-written SQL. */
export function createPool(url: string): Pool {
  const pool = new Pool({
    Client: SteadyClient,
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    statement_timeout: STATEMENT_MS_MAX,
    query_timeout: ANSWER_MS_MAX,
    keepAlive: true,
    application_name: 'athena',
    options: SESSION,
  });
  // A connection that dies while idle is replaced at the next use; whoever uses one sees its error.
  pool.on('error', () => undefined);
  return pool;
}
