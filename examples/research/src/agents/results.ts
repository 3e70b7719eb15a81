import type { AthenaClient, TaskDefinition } from '@athena/sdk';
import { NonRetryable } from '@athena/sdk';
import type { z } from 'zod';

/** Results that were read before; one process reads the same analyses for many ranks. */
const KEPT_MAX = 1_000;

/** Reads what other tasks answered. */
export class Results {
  readonly #client: AthenaClient;
  readonly #kept = new Map<string, unknown>();

  constructor(client: AthenaClient) {
    this.#client = client;
  }

  /** In the order of the ids. @throws NonRetryable if one of them has no result */
  of<I extends z.ZodType, O extends z.ZodType>(
    definition: TaskDefinition<I, O>,
    taskIds: readonly string[],
    signal: AbortSignal,
  ): Promise<z.output<O>[]> {
    return Promise.all(taskIds.map((taskId) => this.#one(definition, taskId, signal)));
  }

  async #one<I extends z.ZodType, O extends z.ZodType>(
    definition: TaskDefinition<I, O>,
    taskId: string,
    signal: AbortSignal,
  ): Promise<z.output<O>> {
    const kept = this.#kept.get(taskId);
    if (kept !== undefined) return kept as z.output<O>;
    const task = await this.#client.tasks.get({ taskId }, { signal });
    if (task.status !== 'completed' || task.taskType !== definition.name) {
      throw new NonRetryable(
        `task ${taskId} is a ${task.taskType} that is ${task.status}; a completed ` +
          `${definition.name} was expected`,
      );
    }
    const result = definition.output.parse(task.result);
    if (this.#kept.size >= KEPT_MAX) this.#kept.clear();
    this.#kept.set(taskId, result);
    return result;
  }
}
