import { type TaskRecord, isFinished } from '@athena/contracts';
import { sleep } from '../abort.js';
import { clientError } from '../errors.js';
import type { CallOptions } from '../groups.js';
import {
  WAIT_OUTAGE_MS_MAX,
  WAIT_PAUSE_MS,
  WAIT_SLICE_CROWDED_MS,
  WAIT_SLICE_DEPENDENT_MS,
  WAIT_SLICE_MS,
} from '../limits.js';
import { isPassing } from '../retry.js';
import type { Time } from '../time.js';
import type { Turns } from './turns.js';

export interface WaitOptions {
  /** Give up after this, with WAIT_TIMEOUT; without it the wait has no end. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads one task, waiting on the server. */
export type Look = (
  input: { taskId: string; wait: number },
  options: CallOptions,
) => Promise<TaskRecord>;

/**
 * Waits by long polls, one after the other, until the task is finished or blocked by a failed
 * dependency. Outages are ridden out for WAIT_OUTAGE_MS_MAX.
 * @throws AthenaError WAIT_TIMEOUT, or what the platform answers
 */
export async function waitForTask(
  time: Time,
  look: Look,
  turns: Turns,
  taskId: string,
  { timeoutMs = Infinity, signal }: WaitOptions,
): Promise<TaskRecord> {
  const end = time.now() + timeoutMs;
  let dependent = false;
  let heardAt = time.now();
  for (;;) {
    signal?.throwIfAborted();
    const leave = await turns.take(signal);
    const begun = time.now();
    const wait = Math.max(0, Math.round(Math.min(sliceMs(turns, dependent), end - begun)));
    try {
      const task = await look({ taskId, wait }, signal ? { signal } : {});
      heardAt = time.now();
      if (isFinished(task.status) || task.status === 'blocked') return task;
      dependent = task.dependencies.length > 0;
    } catch (error) {
      if (!isPassing(error) || time.now() - heardAt > WAIT_OUTAGE_MS_MAX) throw error;
    } finally {
      leave();
    }
    if (time.now() >= end) throw timeUp(taskId, timeoutMs);
    // A server that doesn't wait must not be asked in a tight loop.
    if (time.now() - begun < WAIT_PAUSE_MS) await sleep(time, WAIT_PAUSE_MS, signal);
  }
}

const sliceMs = (turns: Turns, dependent: boolean): number => {
  if (turns.crowded) return WAIT_SLICE_CROWDED_MS;
  return dependent ? WAIT_SLICE_DEPENDENT_MS : WAIT_SLICE_MS;
};

const timeUp = (taskId: string, timeoutMs: number): Error =>
  clientError('WAIT_TIMEOUT', `task ${taskId} was not finished within ${timeoutMs} ms`, {
    retryable: true,
  });
