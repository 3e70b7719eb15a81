import { LogUnavailable } from '@athena/event-log';
import { Fenced } from './checkpoints.js';

/**
 * SQLSTATE classes of a server that is away, starting, stopping, read-only, full or busy: the same
 * batch may succeed later. Everything else (a value that does not fit, a missing table) would fail
 * again for ever and must be seen.
 */
const PASSING_CLASSES = new Set(['08', '25', '40', '53', '55', '57', '58']);
const SQLSTATE = /^[0-9A-Z]{5}$/;
/** ECONNREFUSED and its kind. */
const SOCKET_CODE = /^E[A-Z_]+$/;
/** What pg says, without a code, of its own time-outs and of connections that were closed. */
const PG_TEXT = /timeout|terminated|connect|not queryable/i;

interface Failure {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly errors?: unknown;
}

/** Whether trying again later may help. */
export function isPassing(error: unknown): boolean {
  if (error instanceof Fenced || error instanceof LogUnavailable) return true;
  const { name, message, code, severity, errors } = (error ?? {}) as Failure;
  if (Array.isArray(errors)) return errors.some(isPassing);
  if (typeof code === 'string') {
    const ofServer = severity !== undefined && SQLSTATE.test(code);
    return ofServer ? PASSING_CLASSES.has(code.slice(0, 2)) : SOCKET_CODE.test(code);
  }
  return name === 'Error' && PG_TEXT.test(String(message));
}
