import { limits } from '@athena/contracts';
import { DRAIN_MS_MAX } from '../limits.js';
import { type Logger, consoleLogger } from './logger.js';
import type { AgentNotice } from './notices.js';

export interface AgentOptions {
  readonly natsUrl: string | readonly string[];
  readonly project: string;
  /** 1–128 of `A-Za-z0-9_-`; belongs to the API key that registers it first. */
  readonly agentId: string;
  /** An API key with the scope `agent`. */
  readonly apiKey: string;
  /** Instances of one kind share their record and statistics; default: the agent's id. */
  readonly kind?: string;
  readonly capabilities: readonly string[];
  /** Tasks at a time; default 5. */
  readonly concurrency?: number;
  /** Shown with the agent's record. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /**
   * `confirmed` (default): a handler begins when the platform has recorded the start, so it never
   * works on a lease that is already lost. `implied`: it begins at once and the completion records
   * the start; for handlers of milliseconds, one message less per task.
   */
  readonly start?: 'confirmed' | 'implied';
  /** How long `stop()` lets running handlers finish, milliseconds; default 30,000. */
  readonly drainTimeoutMs?: number;
  /** Default: warnings and errors on the console. */
  readonly log?: Logger;
  /** Told of everything that happens to the agent and its tasks. */
  readonly onNotice?: (notice: AgentNotice) => void;
}

export type AgentSettings = Required<Omit<AgentOptions, 'kind' | 'metadata' | 'onNotice'>> &
  Pick<AgentOptions, 'kind' | 'metadata' | 'onNotice'>;

export const agentSettings = (options: AgentOptions): AgentSettings => ({
  ...options,
  concurrency: options.concurrency ?? limits.MAX_CONCURRENT_TASKS_DEFAULT,
  start: options.start ?? 'confirmed',
  drainTimeoutMs: options.drainTimeoutMs ?? DRAIN_MS_MAX,
  log: options.log ?? consoleLogger,
});
