import type { Operation } from '@athena/operation';

export interface AttemptOptions {
  /** No answer within this: TIMEOUT. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Sent where the operation's input has no field for it. */
  readonly idempotencyKey?: string | undefined;
}

/** An operation's answer. `seq` is the log position that it reflects, where the platform says. */
export interface Answer {
  readonly output: unknown;
  readonly seq?: number | undefined;
}

/** How calls reach the platform. One try; retries are the client's. */
export interface Transport {
  /** Long polls that may be open at a time without harm. */
  readonly waitsMax: number;
  /** @throws AthenaError */
  call(operation: Operation, input: unknown, options: AttemptOptions): Promise<Answer>;
  close(): Promise<void>;
}
