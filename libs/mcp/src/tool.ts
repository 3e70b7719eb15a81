import {
  INVALID_INPUT,
  Refused,
  type Operation,
  type Output,
  type Refusal,
} from '@athena/operation';
import type { z } from 'zod';
import {
  jsonSchemaOf,
  mergedSchema,
  renamedSchema,
  schemaOf,
  type JsonSchema,
} from './json-schema.js';
import { snakeName } from './names.js';
import { Projection, type ProjectionSpec } from './projection.js';
import { inToolNames } from './refusal.js';
import { namesIn, shapeOf, toOperation, toTool } from './shape.js';

export type Arguments = Readonly<Record<string, unknown>>;

/** What hosts are told about a tool. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema & { readonly type: 'object' };
  readonly outputSchema: JsonSchema & { readonly type: 'object' };
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: false;
  };
}

/** One call of a tool, put as an operation's. */
export interface Planned {
  readonly operation: Operation;
  /** Not yet checked against the operation's schema. */
  readonly input: unknown;
  /** The operation's output as the tool's answer. */
  answer(output: unknown): Record<string, unknown>;
  /** The operation's refusal in the names of the tool. */
  explain(refusal: Refusal): Refusal;
}

export interface Tool {
  readonly definition: ToolDefinition;
  readonly operations: readonly Operation[];
  /** @throws Refused INVALID_INPUT */
  plan(given: Arguments): Planned;
}

interface OneOperation<T extends Operation> extends ProjectionSpec {
  /** Without the prefix; absent in a part of `twoOperations`. */
  readonly name?: string;
  readonly operation: T;
  readonly note?: string;
  /** Name here → field of the input, where another name was promised than the mechanical one. */
  readonly renames?: Readonly<Record<string, string>>;
  /** The fields of the input that are offered; default: all. */
  readonly takes?: readonly string[];
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** Another answer than the operation's, made from it. */
  readonly tells?: { readonly schema: z.ZodType; readonly from: (output: Output<T>) => unknown };
}

const PREFIX = 'orchestration_';

/** A tool that is one operation, in the names of tools. */
export function oneOperation<T extends Operation>(spec: OneOperation<T>): Tool {
  const { operation, defaults = {}, renames = {}, tells } = spec;
  const input = offered(schemaOf(operation, 'input'), spec);
  const output = tells ? jsonSchemaOf(tells.schema) : schemaOf(operation, 'output');
  const [inputShape, outputShape] = [shapeOf(input), shapeOf(output)];
  const outputSchema = renamedSchema(output, 'output');
  const projection = new Projection(outputSchema, spec);
  const inputSchema = withFields(renamedSchema(input, 'input'), projection);
  const names = namesIn(inputShape);
  return {
    operations: [operation],
    definition: {
      name: PREFIX + (spec.name ?? ''),
      description: [operation.summary, spec.note].filter(Boolean).join(' '),
      inputSchema: { ...inputSchema, type: 'object' },
      outputSchema: { ...projection.told(outputSchema), type: 'object' },
      annotations: annotationsOf(operation),
    },
    plan: ({ fields, ...given }) => {
      const selection = projection.selection(fields);
      refuseUnknown(fields === undefined ? given : { ...given, fields }, inputSchema);
      const named = Object.entries(toOperation(given, inputShape) as object);
      const own = named.map(([name, value]): [string, unknown] => [renames[name] ?? name, value]);
      return {
        operation,
        input: { ...defaults, ...Object.fromEntries(own) },
        answer: (result) => {
          const told = tells ? tells.from(result as Output<T>) : result;
          const answer = toTool(told, outputShape, projection.kept) as Record<string, unknown>;
          return projection.apply(answer, selection);
        },
        explain: (refusal) => inToolNames(refusal, names, renames),
      };
    },
  };
}

/** The part of an input's schema that a tool offers, under the names it promised. */
function offered(
  schema: JsonSchema,
  {
    takes,
    renames = {},
    defaults = {},
  }: Pick<OneOperation<Operation>, 'takes' | 'renames' | 'defaults'>,
): JsonSchema {
  const promised = new Map(Object.entries(renames).map(([here, field]) => [field, here]));
  const properties = Object.entries(schema.properties ?? {})
    .filter(([field]) => takes?.includes(field) ?? true)
    .map(([field, inner]) => {
      const value = Object.hasOwn(defaults, field) ? { ...inner, default: defaults[field] } : inner;
      return [promised.get(field) ?? field, value];
    });
  return { ...schema, properties: Object.fromEntries(properties) as Record<string, JsonSchema> };
}

const FIELDS = 'Answer with these fields only.';

/** Where an answer is a selection, the caller may make another. */
function withFields(schema: JsonSchema, { names, selectable }: Projection): JsonSchema {
  if (!selectable) return schema;
  const fields = { type: 'array', items: { enum: names }, description: FIELDS };
  return { ...schema, properties: { ...schema.properties, fields } };
}

function refuseUnknown(given: Arguments, { properties = {} }: JsonSchema): void {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(properties, name));
  if (unknown === undefined) return;
  const field = unknown.slice(0, NAME_LENGTH_MAX);
  const right = snakeName(field);
  const hint = Object.hasOwn(properties, right) ? `is called ${right} here` : 'is no argument';
  throw Refused.because(INVALID_INPUT, `${field}: ${hint}`, field);
}

/** Of an unknown argument's name as much is told back. */
const NAME_LENGTH_MAX = 100;

const annotationsOf = (operation: Operation): ToolDefinition['annotations'] => ({
  readOnlyHint: operation.kind === 'query',
  destructiveHint: operation.destructive ?? false,
  idempotentHint: operation.idempotent ?? false,
  openWorldHint: false,
});

interface TwoOperations {
  readonly name: string;
  readonly description: string;
  /** Whether the first one is meant. */
  readonly choose: (given: Arguments) => boolean;
  readonly first: Tool;
  readonly second: Tool;
  /** Arguments that only serve to choose; the first one does not take them. */
  readonly chooses?: readonly string[];
}

/** A tool that is one of two operations, by its arguments. */
export function twoOperations(spec: TwoOperations): Tool {
  const { name, description, choose, first, second, chooses = [] } = spec;
  const [one, other] = [first.definition, second.definition];
  const { required: _, ...inputSchema } = mergedSchema(one.inputSchema, other.inputSchema);
  const hint = (of: 'readOnlyHint' | 'idempotentHint'): boolean =>
    one.annotations[of] && other.annotations[of];
  return {
    operations: [...first.operations, ...second.operations],
    definition: {
      name: PREFIX + name,
      description,
      inputSchema: { ...inputSchema, type: 'object' },
      outputSchema: { ...mergedSchema(one.outputSchema, other.outputSchema), type: 'object' },
      annotations: {
        readOnlyHint: hint('readOnlyHint'),
        destructiveHint: one.annotations.destructiveHint || other.annotations.destructiveHint,
        idempotentHint: hint('idempotentHint'),
        openWorldHint: false,
      },
    },
    plan: (given) => {
      if (!choose(given)) return second.plan(given);
      const own = Object.entries(given).filter(([key]) => !chooses.includes(key));
      return first.plan(Object.fromEntries(own));
    },
  };
}
