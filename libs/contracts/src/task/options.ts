import { z } from 'zod';
import * as limits from '../limits.js';
import { instant, label } from '../schemas.js';

const ms = (max: number): z.ZodInt => z.int().min(1).max(max);

/** Pauses between attempts. */
export const backoff = z
  .strictObject({
    kind: z.enum(['exponential', 'fixed']).default('exponential'),
    firstMs: ms(limits.BACKOFF_MS_LIMIT).default(limits.BACKOFF_FIRST_MS),
    /** Of the exponential kind: each pause is so many times the one before. */
    factor: z.number().min(1).max(limits.BACKOFF_FACTOR_MAX).default(limits.BACKOFF_FACTOR),
    maxMs: ms(limits.BACKOFF_MS_LIMIT).default(limits.BACKOFF_MS_MAX),
    /** `full`: anything between nothing and the pause, so that failures of one moment spread. */
    jitter: z.enum(['full', 'none']).default('full'),
  })
  .refine(({ firstMs, maxMs }) => firstMs <= maxMs, {
    message: `must not exceed maxMs, which is ${limits.BACKOFF_MS_MAX} where it is not given`,
    path: ['firstMs'],
  });
export type Backoff = z.output<typeof backoff>;

/** What a task may say of itself beside what it is; absent ones are as the limits say. */
export const taskOptions = z.strictObject({
  backoff: backoff.optional(),
  /** Not with an agent so long after it began to be offered, each time that it is: it failed. */
  scheduleToStartMs: ms(limits.SCHEDULE_TO_START_MS_MAX).optional(),
  /** No attempt begins from this instant on: what is not with an agent then, failed. */
  retryUntil: instant.optional(),
  /** Not finished by then: it failed, also while it runs. */
  deadline: instant.optional(),
  /** What becomes of it when a dependency fails or is cancelled; default: `block`. */
  onDependencyFailure: z.enum(['block', 'cancel']).optional(),
  /** At most `max` tasks with this key of the project run at once; the newest task's `max` holds. */
  concurrency: z
    .strictObject({ key: label, max: z.int().min(1).max(limits.CONCURRENCY_MAX) })
    .optional(),
  /**
   * A token bucket for the project's tasks with this key: `limit` may begin at once, and as many
   * more in each `periodMs`, evenly; the newest task's figures hold.
   */
  rateLimit: z
    .strictObject({
      key: label,
      limit: z.int().min(1).max(limits.RATE_LIMIT_MAX),
      periodMs: ms(limits.RATE_PERIOD_MS_MAX),
    })
    .optional(),
  /** Inside the project, tasks of different keys take turns. */
  fairnessKey: label.optional(),
});
export type TaskOptions = z.output<typeof taskOptions>;

interface Times extends Pick<TaskOptions, 'deadline' | 'retryUntil'> {
  readonly delayMs?: number | undefined;
  readonly runAt?: string | undefined;
}

/** What is wrong with a new task's times whatever the time is now. */
export const checkTimes: z.core.CheckFn<Times> = ({ value, issues }) => {
  const { delayMs, runAt, deadline, retryUntil } = value;
  const fail = (message: string): void =>
    void issues.push({ code: 'custom', message, path: ['runAt'], input: value });
  if (runAt === undefined) return;
  if (delayMs !== undefined) fail('give delayMs or runAt, not both');
  for (const [name, end] of Object.entries({ deadline, retryUntil })) {
    if (end !== undefined && Date.parse(runAt) >= Date.parse(end)) fail(`must be before ${name}`);
  }
};
