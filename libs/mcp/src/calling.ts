import type { Operation } from '@athena/operation';

/** How a tool's calls reach the platform. */
export interface ToolCaller {
  /** Whether the key may call it at all; tools that it may not call are not listed. */
  permits(operation: Operation): boolean;
  /**
   * Calls an operation with an input that nobody has checked yet.
   * @returns the operation's output
   * @throws Refused; whatever else is thrown is told as INTERNAL, and to `failed`
   */
  call(operation: Operation, input: unknown, signal: AbortSignal): Promise<unknown>;
  /** Told of an error inside, of which hosts learn nothing but that it happened. */
  failed(error: unknown): void;
}
