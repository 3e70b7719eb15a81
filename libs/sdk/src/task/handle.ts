import type { TaskRecord, TaskStatus, TimelineEvent } from '@athena/contracts';
import type { z } from 'zod';
import { TaskBlockedError, TaskCancelledError, TaskFailedError, clientError } from '../errors.js';
import { firstIssue } from './definition.js';
import type { WaitOptions } from './wait.js';
import type { WatchOptions } from './watch.js';

/** What a handle needs of its client. */
export interface TaskAccess {
  get(taskId: string, signal?: AbortSignal): Promise<TaskRecord>;
  wait(taskId: string, options: WaitOptions): Promise<TaskRecord>;
  watch(taskId: string, options: WatchOptions): AsyncIterable<TimelineEvent>;
  cancel(taskId: string, reason?: string): Promise<TaskStatus>;
}

/** A task that was submitted, with the type of its result. */
export class TaskHandle<O extends z.ZodType> {
  readonly taskId: string;
  readonly #access: TaskAccess;
  readonly #output: O;

  constructor(taskId: string, output: O, access: TaskAccess) {
    this.taskId = taskId;
    this.#access = access;
    this.#output = output;
  }

  async status(signal?: AbortSignal): Promise<TaskStatus> {
    return (await this.record(signal)).status;
  }

  /** The whole record as it is now. */
  record(signal?: AbortSignal): Promise<TaskRecord> {
    return this.#access.get(this.taskId, signal);
  }

  /**
   * Waits for the task and gives its result, checked against the definition's output.
   * @throws TaskFailedError, TaskCancelledError, TaskBlockedError, AthenaError WAIT_TIMEOUT or
   * INVALID_RESULT
   */
  async result(options: WaitOptions = {}): Promise<z.output<O>> {
    const task = await this.#access.wait(this.taskId, options);
    if (task.status === 'failed') throw new TaskFailedError(task);
    if (task.status === 'cancelled') throw new TaskCancelledError(task);
    if (task.status === 'blocked') throw new TaskBlockedError(task);
    return parseResult(task, this.#output);
  }

  /** What happens to the task, live and in order, until it is finished. */
  watch(options: WatchOptions = {}): AsyncIterable<TimelineEvent> {
    return this.#access.watch(this.taskId, options);
  }

  /** Calls the task off. A finished task is refused with ILLEGAL_TRANSITION. */
  cancel(reason?: string): Promise<TaskStatus> {
    return this.#access.cancel(this.taskId, reason);
  }
}

/** A handler that returned nothing is recorded with null; both readings of null are tried. */
async function parseResult<O extends z.ZodType>(
  { taskId, result }: TaskRecord,
  schema: O,
): Promise<z.output<O>> {
  const parsed = await schema.safeParseAsync(result);
  if (parsed.success) return parsed.data;
  const absent = result === null ? await schema.safeParseAsync(undefined) : parsed;
  if (absent.success) return absent.data;
  const { field, message } = firstIssue(parsed.error, 'result');
  throw clientError('INVALID_RESULT', `task ${taskId}: ${field}: ${message}`, { field });
}
