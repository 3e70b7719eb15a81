import type { z } from 'zod';
import type { RefusalDefinition } from './refusal.js';

/** What a principal may do. `admin` manages projects and keys; `agent` is to be one agent. */
export type Scope =
  | 'tasks:read'
  | 'tasks:write'
  | 'agents:read'
  | 'agents:write'
  | 'routing:read'
  | 'routing:write'
  | 'events:read'
  | 'admin'
  | 'agent';

export interface HttpBinding {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `{name}` segments are input fields. */
  readonly path: string;
  readonly status?: 200 | 201;
  /** A body may be as large; default: as every request. */
  readonly bodyBytesMax?: number;
  /** Query names that differ from the input's: `{ capability: 'requirements' }`. */
  readonly query?: Readonly<Record<string, string>>;
}

/**
 * Who answers an operation. `partition`: the single writer of one partition of that aggregate: the
 * one that the input names, by an id or by its number; with `creates`, whoever calls chooses it.
 * `service`: any process of that service.
 */
export type Addressee =
  | { readonly partition: 'task' | 'agent' | 'access'; readonly creates?: boolean }
  | { readonly service: string };

export interface Operation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly kind: 'command' | 'query';
  /** `<noun>.<verb>`; NATS subject, CLI command and MCP tool derive from it. */
  readonly name: string;
  readonly summary: string;
  readonly input: I;
  readonly output: O;
  readonly refusals: readonly RefusalDefinition[];
  /** Absent: the operation is internal and has no outside surface. */
  readonly scope?: Scope;
  readonly to: Addressee;
  readonly http?: HttpBinding;
  /** Keys that may only be agents may call it too; they must then present leases and own ids. */
  readonly agentsToo?: boolean;
  /** Also a verb of the agents' protocol: `athena.v1.<project>.<agentId>.<verb>`. */
  readonly agentVerb?: string;
  /**
   * The field of the output that says whether what was checked is in order. To have found that it
   * is not is an answer, no refusal; a command line then ends with a failure.
   */
  readonly verdict?: string;
  /** A repeat with the same input changes nothing more. */
  readonly idempotent?: boolean;
  readonly destructive?: boolean;
}

export type Input<T extends Operation> = z.output<T['input']>;
export type RawInput<T extends Operation> = z.input<T['input']>;
export type Output<T extends Operation> = z.output<T['output']>;

type Definition<I extends z.ZodType, O extends z.ZodType> = Omit<Operation<I, O>, 'kind'>;

/** Declares an operation that may change something. */
export const defineCommand = <I extends z.ZodType, O extends z.ZodType>(
  definition: Definition<I, O>,
): Operation<I, O> => ({ kind: 'command', ...definition });

/** Declares an operation that only reads. */
export const defineQuery = <I extends z.ZodType, O extends z.ZodType>(
  definition: Definition<I, O>,
): Operation<I, O> => ({ kind: 'query', idempotent: true, ...definition });
