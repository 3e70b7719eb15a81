import { limits, verifyLog } from '@athena/contracts';
import { systemClock, type Clock, type EventLog, type Seq } from '@athena/event-log';
import { INVALID_INPUT, Refused, type Output } from '@athena/operation';
import type { CaughtUp } from '@athena/projection';
import type { ServiceHandler } from '@athena/service-kit';
import type { Pool } from 'pg';
import { ArchiveReader } from '../verify/archive-reader.js';
import { CHUNK_MESSAGES, LogCheck } from '../verify/log-check.js';
import { askLog } from './ask-log.js';

export interface VerifyLogOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly log: Pick<EventLog, 'get' | 'endSeq'>;
  readonly archive: CaughtUp;
  readonly clock?: Clock;
}

/** log.verify: part of the log, as much as one call may take. */
export const handleVerifyLog = (options: VerifyLogOptions): ServiceHandler<typeof verifyLog> => ({
  operation: verifyLog,
  async handle({ partition, from, to }) {
    if (to !== undefined && to < from) {
      throw Refused.because(INVALID_INPUT, 'to: lies before from', 'to');
    }
    const { log, pool, archive } = options;
    const end = await askLog(log.endSeq());
    const wanted = Math.min(to ?? end, end);
    if (wanted >= from) await archive.waitFor(wanted, limits.MIN_SEQ_WAIT_MS_MAX);
    const reader = new ArchiveReader(pool);
    const check = new LogCheck({ log, archive: reader, partition });
    const reached = await checkSome(check, from, wanted, options.clock ?? systemClock);
    const done = reached >= wanted;
    if (done && to === undefined) await lookBeyond(check, reader, log);
    return { output: answerOf(check, from, reached, done), seq: end };
  },
});

/** Answers with the last position that it came to. */
async function checkSome(check: LogCheck, from: Seq, to: Seq, clock: Clock): Promise<Seq> {
  const until = clock.now() + limits.LOG_VERIFY_MS_MAX;
  const last = Math.min(to, from + limits.LOG_VERIFY_COMMITS_MAX - 1);
  let next = from;
  while (next <= last && clock.now() < until) {
    const chunkEnd = Math.min(last, next + CHUNK_MESSAGES - 1);
    await check.check(next, chunkEnd);
    next = chunkEnd + 1;
  }
  return next - 1;
}

/** An archive that has more than the log: the log lost its tail. */
async function lookBeyond(
  check: LogCheck,
  reader: ArchiveReader,
  log: Pick<EventLog, 'endSeq'>,
): Promise<void> {
  const archived = await reader.end();
  const end = await askLog(log.endSeq());
  if (archived <= end) return;
  const detail = `the archive goes to ${archived}, the log to ${end}`;
  check.note(archived, null, { flaw: 'archive_extra', detail });
}

const answerOf = (
  { commits, events, partitions, sound, findings }: LogCheck,
  from: Seq,
  to: Seq,
  done: boolean,
): Output<typeof verifyLog> => ({
  from,
  to,
  commits,
  events,
  partitions,
  sound,
  findings,
  nextFrom: done ? null : to + 1,
});
