import { type createTask, limits } from '@athena/contracts';
import type { RawInput } from '@athena/operation';
import type { z } from 'zod';
import { clientError } from '../errors.js';
import { MESSAGE_BYTES_MAX } from '../nats/gatherer.js';
import { type TaskDefinition, type TaskOptions, firstIssue } from './definition.js';

/** A task that another one waits for: its id, or its handle. */
export type Dependency = string | { readonly taskId: string };

export type SubmitOptions = Omit<TaskOptions, 'dependencies'> & {
  readonly dependencies?: readonly Dependency[];
};

export type NewTaskInput = Omit<RawInput<typeof createTask>, 'idempotencyKey'>;

/**
 * The create that a submission stands for. The input is checked here, so that a mistake shows
 * where it is made, and sent as it was given: the agent parses it again.
 * @throws AthenaError INVALID_INPUT
 */
export async function newTaskOf<I extends z.ZodType, O extends z.ZodType>(
  definition: TaskDefinition<I, O>,
  content: z.input<I>,
  options: SubmitOptions,
): Promise<NewTaskInput> {
  const parsed = await definition.input.safeParseAsync(content);
  if (!parsed.success) {
    const { field, message } = firstIssue(parsed.error, 'input');
    throw clientError('INVALID_INPUT', `${definition.name}: ${field}: ${message}`, { field });
  }
  const { dependencies, ...own } = options;
  return {
    requirements: [...definition.requirements],
    ...definition.defaults,
    ...own,
    ...(dependencies ? { dependencies: dependencies.map(idOf) } : {}),
    taskType: definition.name,
    content,
  };
}

const idOf = (dependency: Dependency): string =>
  typeof dependency === 'string' ? dependency : dependency.taskId;

/** Cuts tasks into batches that the platform takes, by number and by bytes, in order. */
export function batchesOf(tasks: readonly NewTaskInput[]): NewTaskInput[][] {
  const batches: NewTaskInput[][] = [];
  let batch: NewTaskInput[] = [];
  let bytes = 0;
  for (const task of tasks) {
    const size = Buffer.byteLength(JSON.stringify(task)) + 1;
    if (
      batch.length >= limits.BATCH_TASKS_MAX ||
      (bytes + size > MESSAGE_BYTES_MAX && batch.length)
    ) {
      batches.push(batch);
      batch = [];
      bytes = 0;
    }
    batch.push(task);
    bytes += size;
  }
  return batch.length ? [...batches, batch] : batches;
}
