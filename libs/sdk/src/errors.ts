import type { TaskError, TaskRecord } from '@athena/contracts';

/** Codes that the SDK itself makes; all others are refusals of the platform. */
export type ClientErrorCode =
  /** No answer in time. */
  | 'TIMEOUT'
  /** The connection broke, or could not be made. */
  | 'CONNECTION_LOST'
  /** Nobody in the platform listens for this operation now. */
  | 'NO_RESPONDERS'
  /** NATS doesn't let these credentials publish there. */
  | 'NOT_PERMITTED'
  /** An answer that is not of the protocol. */
  | 'INVALID_ANSWER'
  /** The task's input or result doesn't fit the schema of its definition. */
  | 'INVALID_INPUT'
  | 'INVALID_RESULT'
  | 'PAYLOAD_TOO_LARGE'
  /** `result()` or `wait()` ended before the task did. */
  | 'WAIT_TIMEOUT'
  /** NATS refused the credentials. */
  | 'UNAUTHENTICATED'
  /** Reasons of a handler's aborted signal. */
  | 'TASK_CANCELLED'
  | 'LEASE_LOST'
  | 'AGENT_STOPPED'
  | 'CLOSED';

export interface ErrorDetails {
  readonly retryable?: boolean;
  /** The request may have taken effect although no answer says so. */
  readonly outcomeUnknown?: boolean;
  readonly field?: string | undefined;
  readonly requestId?: string | undefined;
  /** HTTP status, also over NATS (`Nats-Service-Error-Code`); absent if no answer came. */
  readonly status?: number | undefined;
  /** The platform asks to wait this long before a retry, milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** Every failed call ends in one of these. `code` is stable, `detail` is for people. */
export class AthenaError extends Error {
  override readonly name: string = 'AthenaError';
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
  readonly outcomeUnknown: boolean;
  readonly field: string | undefined;
  readonly requestId: string | undefined;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, detail: string, details: ErrorDetails = {}) {
    super(`${code}: ${detail}`, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.detail = detail;
    this.retryable = details.retryable ?? false;
    this.outcomeUnknown = details.outcomeUnknown ?? false;
    this.field = details.field;
    this.requestId = details.requestId;
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** For errors of the SDK's own making, with their code spelt checked. */
export const clientError = (
  code: ClientErrorCode,
  detail: string,
  details: ErrorDetails = {},
): AthenaError => new AthenaError(code, detail, details);

export const timedOut = (timeoutMs: number): AthenaError =>
  clientError('TIMEOUT', `no answer within ${Math.round(timeoutMs)} ms`, {
    retryable: true,
    outcomeUnknown: true,
  });

/** What a task's end was when it was not a result. `task` is its whole record. */
export class TaskFailedError extends Error {
  override readonly name = 'TaskFailedError';
  readonly taskId: string;
  readonly task: TaskRecord;
  /** What the last attempt reported. */
  readonly error: TaskError | null;

  constructor(task: TaskRecord) {
    const said = task.error?.message ?? 'no error was reported';
    super(`task ${task.taskId} (${task.taskType}) failed: ${said}`);
    this.taskId = task.taskId;
    this.task = task;
    this.error = task.error;
  }
}

export class TaskCancelledError extends Error {
  override readonly name = 'TaskCancelledError';
  readonly taskId: string;
  readonly task: TaskRecord;

  constructor(task: TaskRecord) {
    super(`task ${task.taskId} (${task.taskType}) was cancelled`);
    this.taskId = task.taskId;
    this.task = task;
  }
}

/** A dependency failed or was cancelled, so the task can't run unless that one is redone. */
export class TaskBlockedError extends Error {
  override readonly name = 'TaskBlockedError';
  readonly taskId: string;
  readonly task: TaskRecord;

  constructor(task: TaskRecord) {
    super(
      `task ${task.taskId} (${task.taskType}) is blocked: ${task.reason ?? 'a dependency failed'}`,
    );
    this.taskId = task.taskId;
    this.task = task;
  }
}

/** Some tasks of a `submitMany` were refused; the others exist. */
export class BatchRefusedError extends Error {
  override readonly name = 'BatchRefusedError';
  readonly taskIds: readonly (string | null)[];
  readonly refusals: readonly { index: number; code: string; detail: string }[];

  constructor(
    taskIds: readonly (string | null)[],
    refusals: readonly { index: number; code: string; detail: string }[],
  ) {
    const first = refusals[0];
    super(
      `${refusals.length} of ${taskIds.length} tasks were refused, the first (number ` +
        `${first?.index}) with ${first?.code}: ${first?.detail}`,
    );
    this.taskIds = taskIds;
    this.refusals = refusals;
  }
}

/**
 * Thrown by a handler: another attempt would fail too, so the task is finished as failed. Errors
 * of this name, and those with `shouldRetry: false`, mean the same.
 */
export class NonRetryable extends Error {
  override readonly name = 'NonRetryable';
  readonly code: string | undefined;

  constructor(message: string, options: { readonly code?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = options.code;
  }
}
