import type { Logger } from './logger.js';

/** Why a handler's work was given up without a report. */
export type DropReason = 'cancelled' | 'lease_lost' | 'stopped';

/** What happens to an agent, for logs, metrics and tests. */
export type AgentNotice =
  | { readonly type: 'registered'; readonly session: number }
  | { readonly type: 'disconnected' }
  | { readonly type: 'reconnected' }
  | { readonly type: 'claimed'; readonly taskId: string; readonly attempt: number }
  | { readonly type: 'completed'; readonly taskId: string; readonly durationMs: number }
  | {
      readonly type: 'failed';
      readonly taskId: string;
      readonly message: string;
      readonly shouldRetry: boolean;
    }
  | { readonly type: 'dropped'; readonly taskId: string; readonly reason: DropReason }
  /** Something went wrong and is being retried or worked around. */
  | { readonly type: 'trouble'; readonly doing: string; readonly error: unknown }
  | { readonly type: 'drained' }
  | { readonly type: 'stopped' };

type Level = keyof Logger;

const LEVELS: Readonly<Record<AgentNotice['type'], Level>> = {
  registered: 'info',
  disconnected: 'info',
  reconnected: 'info',
  claimed: 'debug',
  completed: 'debug',
  failed: 'warn',
  dropped: 'warn',
  trouble: 'warn',
  drained: 'info',
  stopped: 'info',
};

export function logNotice(log: Logger, { type, ...fields }: AgentNotice): void {
  const error = 'error' in fields ? { error: textOf(fields.error) } : {};
  log[LEVELS[type]](`agent ${type}`, { ...fields, ...error });
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
