import { LogUnavailable } from '@athena/event-log';
import { Refused, UNAVAILABLE } from '@athena/operation';

/** The log's answer; a log that is away becomes a refusal that callers retry. */
export async function askLog<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof LogUnavailable)) throw error;
    throw Refused.because(UNAVAILABLE, 'the event log can’t be reached now');
  }
}
