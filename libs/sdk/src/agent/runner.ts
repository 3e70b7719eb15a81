import { type ClaimedTask, limits } from '@athena/contracts';
import { onAbort } from '../abort.js';
import { AthenaError } from '../errors.js';
import { ABORTED_HANDLER_MS_MAX, ATTEMPT_MS_MAX, IMPLIED_START_AFTER_MS } from '../limits.js';
import type { RequestChannel } from '../nats/request-channel.js';
import { Attempt } from './attempt.js';
import {
  type Failure,
  type Handlers,
  type PlainHandler,
  type TaskContext,
  failure,
  failureOf,
} from './handlers.js';
import type { Time } from '../time.js';
import { withFields } from './logger.js';
import type { AgentNotice, DropReason } from './notices.js';
import type { AgentSettings } from './options.js';
import { whyLost, persist } from './persistence.js';
import { ProgressReports } from './progress.js';
import type { AgentVerbs, Progress } from './verbs.js';

export interface RunnerParts {
  readonly settings: AgentSettings;
  readonly handlers: Handlers;
  readonly channel: RequestChannel;
  readonly verbs: AgentVerbs;
  readonly notify: (notice: AgentNotice) => void;
  /** A slot became free. */
  readonly onFree: () => void;
}

/** What a handler ended with; undefined if it ignored its abort and was left behind. */
type Outcome = { readonly result: unknown } | Failure | undefined;

/** Runs claimed tasks, from start to the reported outcome. */
export class Runner {
  readonly #parts: RunnerParts;
  readonly #running = new Map<string, Attempt>();
  readonly #closed = new AbortController();
  #whenIdle: (() => void)[] = [];

  constructor(parts: RunnerParts) {
    this.#parts = parts;
  }

  get #time(): Time {
    return this.#parts.channel.surroundings.time;
  }

  /** Slots in use. A slot is free again when the platform has the outcome. */
  get size(): number {
    return this.#running.size;
  }

  /** Takes a task on. The answer of a repeated claim may name one that runs already. */
  take(task: ClaimedTask): void {
    if (this.#running.has(task.lease)) return;
    this.drop(task.taskId, 'lease_lost');
    const attempt = new Attempt(task, this.#time);
    this.#running.set(task.lease, attempt);
    this.#parts.notify({ type: 'claimed', taskId: task.taskId, attempt: task.attempt });
    void this.#run(attempt).finally(() => this.#ended(attempt));
  }

  drop(taskId: string, reason: DropReason): void {
    for (const attempt of this.#running.values()) {
      if (attempt.task.taskId === taskId) attempt.drop(reason);
    }
  }

  /** Asks whether the leases of started tasks still hold and gives up those that don't. */
  checkLeases(olderThanMs = 0): void {
    for (const attempt of this.#running.values()) {
      if (!attempt.started || attempt.dropped || attempt.reporting) continue;
      if (attempt.elapsedMs < olderThanMs) continue;
      this.#parts.verbs
        .start(attempt.task, ATTEMPT_MS_MAX)
        .catch((error: unknown) => this.#lost(attempt, error));
    }
  }

  /** Resolves when nothing runs any more. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Gives up all that still runs, and outcomes that could not be reported. */
  close(): void {
    for (const attempt of this.#running.values()) attempt.drop('stopped');
    this.#closed.abort();
  }

  #ended(attempt: Attempt): void {
    this.#running.delete(attempt.task.lease);
    this.#parts.onFree();
    if (this.#running.size > 0) return;
    for (const resolve of this.#whenIdle) resolve();
    this.#whenIdle = [];
  }

  async #run(attempt: Attempt): Promise<void> {
    const { handlers, notify } = this.#parts;
    const { taskId, taskType } = attempt.task;
    try {
      const handler = handlers.find(taskType);
      if (!handler) {
        const said = `this agent has no handler for tasks of type ${taskType}`;
        await this.#fail(attempt, failure('NO_HANDLER', said, true));
      } else if (await this.#begin(attempt)) {
        await this.#report(attempt, await this.#handle(handler, attempt));
      }
    } catch (error) {
      if (!attempt.dropped) notify({ type: 'trouble', doing: `reporting ${taskId}`, error });
    }
    if (attempt.dropped) notify({ type: 'dropped', taskId, reason: attempt.dropped });
  }

  /** False if the task was taken away meanwhile. */
  async #begin(attempt: Attempt): Promise<boolean> {
    if (this.#parts.settings.start === 'confirmed') {
      await this.#persist(attempt, (timeoutMs) => this.#parts.verbs.start(attempt.task, timeoutMs));
      attempt.started = !attempt.dropped;
    }
    attempt.begin();
    return !attempt.dropped;
  }

  async #handle(handler: PlainHandler, attempt: Attempt): Promise<Outcome> {
    const progress = new ProgressReports(this.#time, (report) =>
      this.#parts.verbs
        .progress(attempt.task, report)
        .catch((error: unknown) => this.#progressRefused(attempt, error)),
    );
    const startLate = (): void => this.#startLate(attempt);
    const cancelStart = this.#time.after(IMPLIED_START_AFTER_MS, startLate);
    try {
      const context = this.#context(attempt, progress);
      return await settled(this.#time, handler, attempt, context);
    } finally {
      cancelStart();
      await progress.end();
    }
  }

  #startLate(attempt: Attempt): void {
    if (attempt.started || attempt.dropped) return;
    attempt.started = true;
    void this.#persist(attempt, (timeoutMs) =>
      this.#parts.verbs.start(attempt.task, timeoutMs),
    ).catch(() => {});
  }

  async #report(attempt: Attempt, outcome: Outcome): Promise<void> {
    if (attempt.dropped || outcome === undefined) return;
    attempt.reporting = true;
    if ('error' in outcome) return this.#fail(attempt, outcome);
    const result = resultJson(outcome.result);
    if ('error' in result) return this.#fail(attempt, result);
    await this.#complete(attempt, result.json);
  }

  async #complete(attempt: Attempt, resultJson: string | undefined): Promise<void> {
    const durationMs = Math.round(attempt.elapsedMs * 1_000) / 1_000;
    const { verbs } = this.#parts;
    try {
      await this.#persist(attempt, (timeoutMs) =>
        verbs.complete(attempt.task, { resultJson, durationMs }, timeoutMs),
      );
      if (attempt.dropped) return;
      this.#parts.notify({ type: 'completed', taskId: attempt.task.taskId, durationMs });
    } catch (error) {
      // The platform will never take this result; left alone, the task would stay with us.
      if (!(error instanceof AthenaError)) throw error;
      const said = `the result was refused: ${error.message}`;
      await this.#fail(attempt, failure(error.code, said, false));
    }
  }

  async #fail(attempt: Attempt, failed: Failure): Promise<void> {
    await this.#persist(attempt, (timeoutMs) =>
      this.#parts.verbs.fail(attempt.task, failed, timeoutMs),
    );
    if (attempt.dropped) return;
    const { message } = failed.error;
    const { taskId } = attempt.task;
    this.#parts.notify({ type: 'failed', taskId, message, shouldRetry: failed.shouldRetry });
  }

  /** Repeats until answered. A lost lease is no error here: the attempt is dropped. */
  async #persist(attempt: Attempt, ask: (timeoutMs: number) => Promise<unknown>): Promise<void> {
    const { channel, notify } = this.#parts;
    const doing = `reporting ${attempt.task.taskId}`;
    const onTrouble = (error: unknown): void => notify({ type: 'trouble', doing, error });
    try {
      await persist({ channel, signal: this.#closed.signal, onTrouble }, ask);
    } catch (error) {
      if (this.#closed.signal.aborted) attempt.drop('stopped');
      else if (!this.#lost(attempt, error)) throw error;
    }
  }

  #lost(attempt: Attempt, error: unknown): boolean {
    const reason = whyLost(error);
    if (reason) attempt.drop(reason);
    return reason !== null;
  }

  /** Nobody's work fails because it was told of too often. */
  #progressRefused(attempt: Attempt, error: unknown): void {
    if (this.#lost(attempt, error)) return;
    const doing = `telling progress of ${attempt.task.taskId}`;
    this.#parts.notify({ type: 'trouble', doing, error });
  }

  #context({ task, signal }: Attempt, progress: ProgressReports): TaskContext {
    const { taskId, taskType, attempt, priority } = task;
    return {
      taskId,
      taskType,
      attempt,
      priority,
      metadata: task.metadata ?? {},
      signal,
      log: withFields(this.#parts.settings.log, { taskId, taskType, attempt }),
      progress: (told: number | Progress, message?: string) =>
        progress.report(typeof told === 'number' ? { percent: told, ...optional(message) } : told),
    };
  }
}

const optional = (message: string | undefined): Progress =>
  message === undefined ? {} : { message };

/** A handler that doesn't heed its abort is left behind after ABORTED_HANDLER_MS_MAX. */
function settled(
  time: Time,
  handler: PlainHandler,
  attempt: Attempt,
  context: TaskContext,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let stay: (() => void) | undefined;
    const forget = onAbort(attempt.signal, () => {
      stay = time.after(ABORTED_HANDLER_MS_MAX, () => resolve(undefined));
    });
    const end = (outcome: Outcome): void => {
      stay?.();
      forget();
      resolve(outcome);
    };
    Promise.resolve()
      .then(() => handler(attempt.task.content, context))
      .then(
        (result) => end({ result }),
        (thrown: unknown) => end(failureOf(thrown)),
      );
  });
}

/** The result as JSON, or why it can't be one. Nothing returned: no JSON, recorded as null. */
function resultJson(result: unknown): { readonly json: string | undefined } | Failure {
  let json: string | undefined;
  try {
    json = JSON.stringify(result);
  } catch (error) {
    const said = `the result can’t be written as JSON: ${(error as Error).message}`;
    return failure('RESULT_NOT_JSON', said, false);
  }
  const bytes = json === undefined ? 0 : Buffer.byteLength(json);
  if (bytes <= limits.RESULT_BYTES_MAX) return { json };
  const said = `the result has ${bytes} bytes as JSON, the limit is ${limits.RESULT_BYTES_MAX}`;
  return failure('RESULT_TOO_LARGE', said, false);
}
