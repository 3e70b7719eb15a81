import { type TimelineEvent, type eventTimeline, limits } from '@athena/contracts';
import type { Output, RawInput } from '@athena/operation';
import { sleep } from '../abort.js';
import type { CallOptions } from '../groups.js';
import { WAIT_OUTAGE_MS_MAX, WAIT_PAUSE_MS } from '../limits.js';
import { isPassing } from '../retry.js';
import type { Time } from '../time.js';

export interface WatchOptions {
  /** The `position` of an event that was seen: goes on behind it. Default: from the beginning. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads the timeline, waiting on the server. */
export type ReadTimeline = (
  input: RawInput<typeof eventTimeline>,
  options: CallOptions,
) => Promise<Output<typeof eventTimeline>>;

const ENDS: ReadonlySet<string> = new Set(['TaskCompleted', 'TaskFailed', 'TaskCancelled']);

/**
 * What happens to a task, in order and without gaps, until it is finished: progress with partial
 * outputs and lines of log (TaskProgressed), attempts, the outcome. Outages are ridden out for
 * WAIT_OUTAGE_MS_MAX. @throws AthenaError, or the signal's reason
 */
export async function* watchTask(
  time: Time,
  read: ReadTimeline,
  taskId: string,
  { after, signal }: WatchOptions,
): AsyncGenerator<TimelineEvent, void, undefined> {
  const search = { aggregate: 'task', aggregateId: taskId, wait: limits.GET_WAIT_MS_MAX } as const;
  const options = signal ? { signal } : {};
  let heardAt = time.now();
  for (;;) {
    signal?.throwIfAborted();
    const from = after === undefined ? {} : { after };
    const page = await read({ ...search, ...from }, options).catch((error: unknown) => {
      if (isPassing(error) && time.now() - heardAt <= WAIT_OUTAGE_MS_MAX) return null;
      throw error;
    });
    if (!page) {
      await sleep(time, WAIT_PAUSE_MS, signal);
      continue;
    }
    heardAt = time.now();
    yield* page.events;
    after = page.nextAfter ?? after;
    if (ENDS.has(page.events.at(-1)?.type ?? '')) return;
  }
}
