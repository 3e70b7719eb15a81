import { limits } from '@athena/contracts';
import type { Flag, FlagKind } from '../command/command.js';
import { kebab } from './naming.js';
import type { JsonSchema } from './schema.js';

/** JSON Schema has no word for the size of a JSON value; a spec holds these to the contracts. */
export const JSON_BYTES_MAX: Readonly<Record<string, number>> = {
  content: limits.CONTENT_BYTES_MAX,
  result: limits.RESULT_BYTES_MAX,
  output: limits.PROGRESS_OUTPUT_BYTES_MAX,
  metadata: limits.METADATA_BYTES_MAX,
  metrics: limits.METADATA_BYTES_MAX,
};

/** A field of an input as a flag: kind, limits and default come from its schema. */
export function flagOf(field: string, schema: JsonSchema, required: boolean): Flag {
  const kind = kindOf(schema);
  const choices = schema.enum ?? listIn(schema)?.items?.enum;
  return {
    name: kebab(field),
    kind,
    value: placeholder(kind, schema),
    summary: summaryOf(field, kind, schema),
    required: required && schema.default === undefined,
    ...(choices ? { choices } : {}),
  };
}

const TEXTUAL: Readonly<Record<string, FlagKind>> = {
  string: 'text',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
};

/** The list that the field is, or may be. */
const listIn = ({ type, anyOf = [], ...schema }: JsonSchema): JsonSchema | undefined =>
  type === 'array' ? schema : anyOf.find((one) => one.type === 'array');

function kindOf(schema: JsonSchema): FlagKind {
  const { type, anyOf } = schema;
  const list = listIn(schema);
  if (list?.items?.type === 'string') return 'list';
  if (anyOf) {
    const types = anyOf.map((one) => one.type);
    if (!types.includes('string')) return 'json';
    return types.includes('object') ? 'jsonOrText' : 'text';
  }
  return TEXTUAL[type ?? ''] ?? 'json';
}

function placeholder(kind: FlagKind, schema: JsonSchema): string {
  if (kind === 'list') return `${placeholder('text', listIn(schema)?.items ?? {})},…`;
  if (kind === 'jsonOrText') return 'text|json';
  if (kind !== 'text') return kind;
  if (schema.enum) return schema.enum.join('|');
  if (schema.format === 'date-time') return 'instant';
  if (schema.pattern?.startsWith('^[0-9a-f]{8}')) return 'uuid';
  if (schema.pattern === '^[A-Za-z0-9_-]+$') return 'id';
  return schema.anyOf?.some(({ type }) => type === 'number') ? 'time' : 'text';
}

/** `at most 32768 bytes; default …`, also for positionals. */
export function summaryOf(field: string, kind: FlagKind, schema: JsonSchema): string {
  const bytes = kind === 'json' ? JSON_BYTES_MAX[field] : undefined;
  const parts = [
    schema.format === 'date-time' ? 'ISO 8601 with a zone' : '',
    range(schema),
    lengths(schema),
    items(listIn(schema) ?? schema),
    bytes === undefined ? '' : `at most ${bytes} bytes`,
    schema.default === undefined ? '' : defaultText(schema.default),
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function range({ minimum, maximum }: JsonSchema): string {
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER;
  if (bounded) return `${minimum ?? 0} to ${maximum}`;
  return minimum === undefined ? '' : `at least ${minimum}`;
}

const lengths = ({ maxLength, pattern }: JsonSchema): string => {
  if (maxLength === undefined) return '';
  const letters = pattern === '^[A-Za-z0-9_-]+$' ? ' of A–Z a–z 0–9 _ -' : '';
  return `at most ${maxLength} characters${letters}`;
};

function items({ minItems, maxItems }: JsonSchema): string {
  if (maxItems === undefined) return '';
  return minItems ? `${minItems} to ${maxItems} of them` : `at most ${maxItems} of them`;
}

function defaultText(value: unknown): string {
  if (value === true) return 'default: on (--no-… turns it off)';
  if (Array.isArray(value) && value.length === 0) return 'default: none';
  return `default: ${typeof value === 'string' ? value : JSON.stringify(value)}`;
}
