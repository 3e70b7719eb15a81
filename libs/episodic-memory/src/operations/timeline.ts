import { limits, eventTimeline } from '@athena/contracts';
import { systemClock, type Clock, type EventLog, type Seq } from '@athena/event-log';
import { INVALID_INPUT, Refused, type Output } from '@athena/operation';
import { orUnavailable, type CaughtUp } from '@athena/projection';
import type { ServiceHandler } from '@athena/service-kit';
import type { Pool } from 'pg';
import type { ArchiveGrowth } from './archive-growth.js';
import { askLog } from './ask-log.js';
import {
  WHOLE_COMMIT,
  badPosition,
  parsePosition,
  positionText,
  type Position,
} from './position.js';
import { findEvents, type FoundEvent, type Search } from './timeline-rows.js';

export interface TimelineOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly log: Pick<EventLog, 'endSeq'>;
  readonly archive: CaughtUp;
  readonly growth: ArchiveGrowth;
  readonly clock?: Clock;
}

/** event.timeline: the project's part of the archive, and what comes to it. */
export const handleTimeline = (options: TimelineOptions): ServiceHandler<typeof eventTimeline> => ({
  operation: eventTimeline,
  async handle(search, { project }) {
    const { archive } = options;
    const { minSeq = 0, order, wait } = search;
    if (wait !== undefined && order === 'desc') {
      const detail = 'wait: what is to come is told with order asc only';
      throw Refused.because(INVALID_INPUT, detail, 'wait');
    }
    const after = search.after === undefined ? null : parsePosition(search.after);
    if (minSeq > 0) await archive.waitFor(minSeq, limits.MIN_SEQ_WAIT_MS_MAX);
    if (after) await known(after, options);
    return order === 'asc'
      ? forward(options, project, search, after)
      : backward(options, project, search, after);
  },
});

/** A position beyond the log's end was never given out: events would be passed over unseen. */
async function known({ seq }: Position, { archive, log }: TimelineOptions): Promise<void> {
  if (seq <= (await orUnavailable(archive.reached()))) return;
  const end = await askLog(log.endSeq());
  if (seq > end) throw badPosition(`the log ends at ${end}; the position is of another one`);
}

type Page = { output: Output<typeof eventTimeline>; seq: Seq };

/** Events below what the archive had reached are all there to be found, so none is passed over. */
async function forward(
  { pool, archive, growth, clock = systemClock }: TimelineOptions,
  project: string,
  search: Search,
  start: Position | null,
): Promise<Page> {
  const until = clock.now() + (search.wait ?? 0);
  for (let after = start; ;) {
    const reached = await orUnavailable(archive.reached());
    const found = await findEvents(pool, project, search, after);
    const last = found.at(-1)?.position;
    if (last) return pageOf(found, last, Math.max(reached, last.seq));
    after = later(after, { seq: reached, idx: WHOLE_COMMIT });
    const leftMs = until - clock.now();
    if (leftMs <= 0 || growth.closed) return pageOf([], after, reached);
    await growth.beyond(Math.max(reached, after.seq), leftMs);
  }
}

async function backward(
  { pool, archive }: TimelineOptions,
  project: string,
  search: Search,
  before: Position | null,
): Promise<Page> {
  const reached = await orUnavailable(archive.reached());
  const found = await findEvents(pool, project, search, before);
  return pageOf(found, found.at(-1)?.position ?? null, reached);
}

const later = (a: Position | null, b: Position): Position =>
  a && (a.seq > b.seq || (a.seq === b.seq && a.idx > b.idx)) ? a : b;

const pageOf = (found: readonly FoundEvent[], next: Position | null, seq: Seq): Page => ({
  output: {
    events: found.map(({ position, event }) => ({ position: positionText(position), ...event })),
    nextAfter: next && positionText(next),
  },
  seq,
});
