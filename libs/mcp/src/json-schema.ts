import type { Operation } from '@athena/operation';
import { z } from 'zod';
import { snakeName } from './names.js';

/** As much of JSON Schema as operations use. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
}

type Side = 'input' | 'output';

export const jsonSchemaOf = (schema: z.ZodType, io: Side = 'output'): JsonSchema =>
  z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as JsonSchema;

export const schemaOf = (operation: Operation, side: Side): JsonSchema =>
  jsonSchemaOf(operation[side], side);

export const branchesOf = ({ anyOf, oneOf, allOf }: JsonSchema): readonly JsonSchema[] => [
  ...(anyOf ?? []),
  ...(oneOf ?? []),
  ...(allOf ?? []),
];

/**
 * A model reads names, types and bounds. What texts are checked against is told by the refusal
 * when it matters; hosts disagree about regular expressions anyway.
 */
const TEXT_CHECKS = ['$schema', 'pattern', 'minLength', 'maxLength', 'propertyNames'];
const LEFT_OUT: Readonly<Record<Side, ReadonlySet<string>>> = {
  input: new Set(TEXT_CHECKS),
  output: new Set([
    ...TEXT_CHECKS,
    ...['required', 'additionalProperties', 'format'],
    ...['minimum', 'maximum', 'minItems', 'maxItems'],
  ]),
};

/** The schema with the names of tools; of answers only as much as says what to expect. */
export function renamedSchema({ allOf = [], ...schema }: JsonSchema, side: Side): JsonSchema {
  const both = allOf.filter((inner) => Object.keys(inner).length > 0);
  if (both.length > 0) return renamedSchema(Object.assign({}, ...both, schema) as JsonSchema, side);
  const entries = Object.entries(schema)
    .filter(([keyword, value]) => !LEFT_OUT[side].has(keyword) && !isUnbounded(value))
    .map(([keyword, value]) => [keyword, renamedKeyword(keyword, value, side)]);
  return Object.fromEntries(entries) as JsonSchema;
}

function renamedKeyword(keyword: string, value: unknown, side: Side): unknown {
  switch (keyword) {
    case 'properties': {
      const properties = Object.entries(value as Record<string, JsonSchema>);
      return Object.fromEntries(
        properties.map(([name, inner]) => [snakeName(name), renamedSchema(inner, side)]),
      );
    }
    case 'required':
      return (value as string[]).map(snakeName);
    case 'items':
    case 'additionalProperties':
      return typeof value === 'object' ? renamedSchema(value as JsonSchema, side) : value;
    case 'anyOf':
    case 'oneOf':
      return (value as JsonSchema[]).map((inner) => renamedSchema(inner, side));
    default:
      return value;
  }
}

/** What zod says of every integer says nothing. */
const isUnbounded = (value: unknown): boolean =>
  typeof value === 'number' && Math.abs(value) === Number.MAX_SAFE_INTEGER;

/** What fits either of two objects' schemas, told as one object. */
export function mergedSchema(a: JsonSchema, b: JsonSchema): JsonSchema {
  const properties = { ...a.properties };
  for (const [name, schema] of Object.entries(b.properties ?? {})) {
    const other = properties[name];
    properties[name] = other ? mergedSchema(other, schema) : schema;
  }
  return {
    ...a,
    ...b,
    ...(Object.keys(properties).length > 0 && { properties }),
    ...(a.items && b.items && { items: mergedItems(a.items, b.items) }),
  };
}

/** Of two lists of names, all of them. */
const mergedItems = (a: JsonSchema, b: JsonSchema): JsonSchema =>
  a.enum && b.enum ? { enum: [...new Set([...a.enum, ...b.enum])] } : mergedSchema(a, b);
