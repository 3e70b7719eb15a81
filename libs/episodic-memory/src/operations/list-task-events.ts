import { TASK_NOT_FOUND, limits, listTaskEvents } from '@athena/contracts';
import type { EventLog, LoggedEvent } from '@athena/event-log';
import { Refused, type Output } from '@athena/operation';
import { ROW_TYPES, orUnavailable, type CaughtUp } from '@athena/projection';
import type { ServiceHandler } from '@athena/service-kit';
import type { Pool } from 'pg';

/** The oldest of a task's events, up to this many. */
export const TASK_EVENTS_MAX = 10_000;

export interface ListTaskEventsOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly log: Pick<EventLog, 'endSeq'>;
  readonly archive: CaughtUp;
}

type TaskEvents = Output<typeof listTaskEvents>['events'];

interface EventRow {
  readonly seq: number;
  readonly idx: number;
  readonly at: number;
  readonly event: LoggedEvent;
}

const TEXT = `
  select seq, idx, at, event from episodic_events
  where project = $1 and aggregate_id = $2 and aggregate = 'task'
  order by seq, idx limit $3`;

/** task.events: everything that happened to a task, from the archive. */
export const handleListTaskEvents = (
  options: ListTaskEventsOptions,
): ServiceHandler<typeof listTaskEvents> => ({
  operation: listTaskEvents,
  async handle({ taskId, minSeq = 0 }, { project }) {
    const { pool, archive, log } = options;
    if (minSeq > 0) await archive.waitFor(minSeq, limits.MIN_SEQ_WAIT_MS_MAX);
    const seq = Math.max(minSeq, await orUnavailable(archive.reached()));
    const events = await read(pool, project, taskId);
    if (events.length > 0) return { output: { events }, seq };
    // A task that nothing is known of may just be younger than the archive.
    const end = await log.endSeq();
    await archive.waitFor(end, limits.MIN_SEQ_WAIT_MS_MAX);
    const late = await read(pool, project, taskId);
    if (late.length > 0) return { output: { events: late }, seq: end };
    throw Refused.because(TASK_NOT_FOUND, `no task ${taskId} in project ${project}`, 'taskId');
  },
});

async function read(
  pool: Pick<Pool, 'query'>,
  project: string,
  taskId: string,
): Promise<TaskEvents> {
  const values = [project, taskId, TASK_EVENTS_MAX];
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
