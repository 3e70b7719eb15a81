import { TASK_NOT_FOUND, limits, type TaskEvent, type listTaskEvents } from '@athena/contracts';
import type { EventLog, LoggedEvent } from '@athena/event-log';
import { Refused, type Output } from '@athena/operation';
import { ROW_TYPES, orUnavailable, type CaughtUp } from '@athena/projection';
import type { Pool } from 'pg';

/** The oldest of a task's events, up to this many. */
export const TASK_EVENTS_MAX = 10_000;

export interface TaskHistoryOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly log: Pick<EventLog, 'endSeq'>;
  readonly archive: CaughtUp;
}

export type TaskHistory = Output<typeof listTaskEvents>['events'];

interface Wanted {
  readonly project: string;
  readonly taskId: string;
  readonly minSeq?: number | undefined;
  /** Only events of these types, that of the task's creation among them; absent: of all. */
  readonly types?: readonly TaskEvent['type'][];
}

interface EventRow {
  readonly seq: number;
  readonly idx: number;
  readonly at: number;
  readonly event: LoggedEvent;
}

const TEXT = `
  select seq, idx, at, event from episodic_events
  where project = $1 and aggregate_id = $2 and aggregate = 'task'
    and ($3::text[] is null or type = any($3))
  order by seq, idx limit $4`;

/**
 * What happened to a task, from the archive.
 * @throws Refused TASK_NOT_FOUND, NOT_CAUGHT_UP, UNAVAILABLE
 */
export async function taskHistory(
  { pool, archive, log }: TaskHistoryOptions,
  wanted: Wanted,
): Promise<{ readonly events: TaskHistory; readonly seq: number }> {
  const { project, taskId, minSeq = 0 } = wanted;
  if (minSeq > 0) await archive.waitFor(minSeq, limits.MIN_SEQ_WAIT_MS_MAX);
  const seq = Math.max(minSeq, await orUnavailable(archive.reached()));
  const events = await read(pool, wanted);
  if (events.length > 0) return { events, seq };
  // A task that nothing is known of may just be younger than the archive.
  const end = await log.endSeq();
  await archive.waitFor(end, limits.MIN_SEQ_WAIT_MS_MAX);
  const late = await read(pool, wanted);
  if (late.length > 0) return { events: late, seq: end };
  throw Refused.because(TASK_NOT_FOUND, `no task ${taskId} in project ${project}`, 'taskId');
}

async function read(
  pool: Pick<Pool, 'query'>,
  { project, taskId, types = null }: Omit<Wanted, 'types'> & { types?: Wanted['types'] | null },
): Promise<TaskHistory> {
  const values = [project, taskId, types, TASK_EVENTS_MAX];
  const { rows } = await orUnavailable(
    pool.query<EventRow>({ name: 'task_events', text: TEXT, values, types: ROW_TYPES }),
  );
  return rows.map(({ seq, idx, at, event }) => ({
    position: `${seq}.${idx}`,
    type: event.type,
    version: event.v,
    at: new Date(at).toISOString(),
    actor: event.actor ?? null,
    correlation: event.correlation ?? null,
    data: event.data,
  }));
}
