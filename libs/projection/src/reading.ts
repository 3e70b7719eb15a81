import { Refused, UNAVAILABLE } from '@athena/operation';
import { isPassing } from './failures.js';

/**
 * The answer of a read from Postgres; a server that is away becomes a refusal that callers retry.
 * @throws Refused UNAVAILABLE
 */
export async function orUnavailable<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (!isPassing(error)) throw error;
    throw Refused.because(UNAVAILABLE, 'Postgres can’t be reached now');
  }
}
