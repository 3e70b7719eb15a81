import type { ClaimedTask, TaskError } from '@athena/contracts';
import type { z } from 'zod';
import { NonRetryable } from '../errors.js';
import { ERROR_TEXT_LENGTH_MAX } from '../limits.js';
import { type TaskDefinition, firstIssue } from '../task/definition.js';
import type { Logger } from './logger.js';
import type { Progress } from './verbs.js';

/**
 * Tells watchers how far the work is (0–100), what there is of the result so far (JSON up to
 * PROGRESS_OUTPUT_BYTES_MAX), and lines of log. Quick reports are gathered: of each field the last
 * value goes out, of the lines the last PROGRESS_LOG_LINES_MAX.
 */
export interface TellProgress {
  (percent: number, message?: string): void;
  (report: Progress): void;
}

/** What a handler knows of its task besides the input. */
export interface TaskContext {
  readonly taskId: string;
  readonly taskType: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  readonly priority: ClaimedTask['priority'];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Aborts when the task is cancelled, its lease is lost, or the agent stops waiting for it. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  readonly progress: TellProgress;
}

export type TypedHandler<I extends z.ZodType, O extends z.ZodType> = (
  input: z.output<I>,
  context: TaskContext,
) => Promise<z.input<O>> | z.input<O>;

export type PlainHandler = (content: unknown, context: TaskContext) => unknown;

/** The type that stands for every type without a handler of its own. */
export const ANY_TYPE = '*';

/** Handlers by task type. */
export class Handlers {
  readonly #byType = new Map<string, PlainHandler>();

  /** @throws Error when the type has a handler already */
  add(type: string, handler: PlainHandler): void {
    if (this.#byType.has(type)) throw new Error(`task type ${type} has a handler already`);
    this.#byType.set(type, handler);
  }

  get size(): number {
    return this.#byType.size;
  }

  find(type: string): PlainHandler | undefined {
    return this.#byType.get(type) ?? this.#byType.get(ANY_TYPE);
  }
}

/**
 * Puts a definition's schemas around a handler. Neither a wrong input nor a wrong output gets
 * better by another attempt, so both are NonRetryable.
 */
export function typedHandler<I extends z.ZodType, O extends z.ZodType>(
  definition: TaskDefinition<I, O>,
  handler: TypedHandler<I, O>,
): PlainHandler {
  return async (content, context) => {
    const input = await definition.input.safeParseAsync(content);
    if (!input.success) throw misfit('INVALID_INPUT', input.error, 'input');
    const output = await handler(input.data, context);
    const checked = await definition.output.safeParseAsync(output);
    if (!checked.success) throw misfit('INVALID_RESULT', checked.error, 'result');
    return output;
  };
}

function misfit(code: string, error: z.ZodError, root: string): NonRetryable {
  const { field, message } = firstIssue(error, root);
  return new NonRetryable(`${field}: ${message}`, { code, cause: error });
}

/** What an attempt reports when its handler throws. */
export interface Failure {
  readonly error: TaskError;
  readonly shouldRetry: boolean;
}

const cut = (text: string): string => text.slice(0, ERROR_TEXT_LENGTH_MAX);

export function failureOf(thrown: unknown): Failure {
  if (!(thrown instanceof Error)) {
    return { error: { message: cut(String(thrown)) }, shouldRetry: true };
  }
  const code = (thrown as { code?: unknown }).code;
  return {
    error: {
      message: cut(thrown.message || thrown.name),
      ...(typeof code === 'string' && code ? { code: code.slice(0, 100) } : {}),
      ...(thrown.stack ? { stack: cut(thrown.stack) } : {}),
    },
    shouldRetry: !isFinal(thrown),
  };
}

/** Also by the name: another copy of this package may have made the error. */
const isFinal = (error: Error & { readonly shouldRetry?: unknown }): boolean =>
  error instanceof NonRetryable || error.name === 'NonRetryable' || error.shouldRetry === false;

/** For what the SDK itself finds wrong with an attempt. */
export const failure = (code: string, message: string, shouldRetry: boolean): Failure => ({
  error: { code, message },
  shouldRetry,
});
