import type { z } from 'zod';

/** One version of one event type. Names and shapes are the storage format: never edited. */
export interface EventDefinition<N extends string = string, D extends z.ZodType = z.ZodType> {
  readonly type: N;
  readonly version: number;
  readonly aggregate: string;
  readonly summary: string;
  readonly data: D;
}

/** What a decider yields, before it is in the log. `id` is the aggregate's id. */
export interface NewEvent<N extends string = string, D = unknown> {
  readonly type: N;
  readonly v: number;
  readonly project: string;
  readonly id: string;
  readonly data: D;
}

export type EventOf<T extends EventDefinition> =
  T extends EventDefinition<infer N, infer D> ? NewEvent<N, z.output<D>> : never;

/** Declares a version of an event. */
export const defineEvent = <N extends string, D extends z.ZodType>(
  definition: EventDefinition<N, D>,
): EventDefinition<N, D> => definition;
