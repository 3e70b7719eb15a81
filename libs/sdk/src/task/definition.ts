import type { createTask } from '@athena/contracts';
import type { RawInput } from '@athena/operation';
import type { z } from 'zod';

/** Everything that a task is made of besides its type and content. */
export type TaskOptions = Omit<
  RawInput<typeof createTask>,
  'taskType' | 'content' | 'idempotencyKey'
>;

/** A task type with the schemas of what goes in and what comes out. Both travel as JSON. */
export interface TaskDefinition<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** The task type. */
  readonly name: string;
  readonly input: I;
  readonly output: O;
  /** Capabilities that an agent must all have. */
  readonly requirements: readonly string[];
  /** Used for every task of this type unless the submitter says otherwise. */
  readonly defaults: TaskOptions;
}

/**
 * Declares a task type once, for the code that submits it and for the agent that handles it.
 * Schemas describe JSON: use `z.iso.datetime()` rather than `z.date()`. Each side parses what it
 * gets, so transforms run where the value arrives.
 */
export function defineTask<I extends z.ZodType, O extends z.ZodType>(definition: {
  readonly name: string;
  readonly input: I;
  readonly output: O;
  readonly requirements?: readonly string[];
  readonly defaults?: TaskOptions;
}): TaskDefinition<I, O> {
  const { requirements = [], defaults = {}, ...rest } = definition;
  return { ...rest, requirements, defaults };
}

/** Where the first issue of a schema is, as a dotted path, and what it says. */
export function firstIssue(error: z.ZodError, root: string): { field: string; message: string } {
  const [issue] = error.issues;
  return {
    field: [root, ...(issue?.path ?? [])].map(String).join('.'),
    message: issue?.message ?? 'does not fit the schema',
  };
}
