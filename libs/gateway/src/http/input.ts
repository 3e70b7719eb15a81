import { INVALID_INPUT, Refused, type HttpBinding, type Operation } from '@athena/operation';
import { parseJson } from '@athena/service-kit';
import { z } from 'zod';

/** The parts of a request that an input is read from. */
export interface RequestParts {
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | readonly string[]>>;
  /** The raw body; absent where none came. */
  readonly body?: Buffer;
  readonly idempotencyKey?: string;
}

/** Reads an operation's raw input; its schema is checked afterwards. @throws Refused */
export type InputReader = (parts: RequestParts) => Record<string, unknown>;

interface QueryField {
  readonly field: string;
  readonly kind: 'text' | 'number' | 'boolean';
  readonly many: boolean;
  /** Of several also one alone, without a list. */
  readonly alone: boolean;
}

interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

const IDEMPOTENCY_FIELD = 'idempotencyKey';
/** No parameter has use for them, and Postgres takes no NUL. */
const CONTROL = /\p{Cc}|\p{Surrogate}/u;
const NUMBER = /^-?\d{1,16}(\.\d{1,16})?$/;

export const pathFields = ({ path }: HttpBinding): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);

/** Whether inputs come in a body; else they come in the query. */
export const takesBody = ({ method }: HttpBinding): boolean =>
  method === 'POST' || method === 'PUT';

/** The JSON Schema of an operation's input as it is written by callers. */
export const inputSchema = ({ input }: Operation): JsonSchema =>
  z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;

/** Makes the reader of an operation's input once, when the process starts. */
export function inputReader(operation: Operation, http: HttpBinding): InputReader {
  const names = pathFields(http);
  const fields = queryFields(operation, http);
  const keyPath = idempotencyPath(inputSchema(operation));
  return (parts) => {
    const given = takesBody(http) ? bodyOf(parts, http) : fromQuery(parts, fields);
    const input = withPath(given, names, parts.params);
    return parts.idempotencyKey === undefined || keyPath === null
      ? input
      : withIdempotencyKey(input, keyPath, parts.idempotencyKey);
  };
}

/** Query name → field. Path fields and the idempotency key are no query parameters. */
export function queryFields(operation: Operation, http: HttpBinding): Map<string, QueryField> {
  if (takesBody(http)) return new Map();
  const inPath = new Set(pathFields(http));
  const renamed = new Map(Object.entries(http.query ?? {}).map(([name, field]) => [field, name]));
  const properties = Object.entries(inputSchema(operation).properties ?? {});
  return new Map(
    properties
      .filter(([field]) => !inPath.has(field))
      .map(([field, schema]) => [renamed.get(field) ?? field, queryField(field, schema)]),
  );
}

function queryField(field: string, schema: JsonSchema): QueryField {
  const list = [schema, ...(schema.anyOf ?? [])].find(({ type }) => type === 'array');
  const many = list !== undefined;
  const types = typesOf(list?.items ?? schema);
  const numeric = types.has('number') || types.has('integer');
  const kind = types.has('string') ? 'text' : numeric ? 'number' : 'boolean';
  return { field, kind: types.size === 0 ? 'text' : kind, many, alone: list !== schema };
}

const typesOf = ({ type, anyOf = [] }: JsonSchema): Set<string> =>
  new Set([...[type ?? []].flat(), ...anyOf.flatMap((inner) => [...typesOf(inner)])]);

/** Where the input has its idempotency key: at the top, or one object further down. */
function idempotencyPath({ properties = {} }: JsonSchema): readonly string[] | null {
  if (IDEMPOTENCY_FIELD in properties) return [IDEMPOTENCY_FIELD];
  const outer = Object.keys(properties).find((name) => {
    return IDEMPOTENCY_FIELD in (properties[name]?.properties ?? {});
  });
  return outer === undefined ? null : [outer, IDEMPOTENCY_FIELD];
}

function bodyOf(
  { body, query }: RequestParts,
  { bodyBytesMax }: HttpBinding,
): Record<string, unknown> {
  const [name] = Object.keys(query);
  if (name !== undefined) {
    throw invalid(name, 'inputs of this method belong in the body, not in the query');
  }
  const value = body === undefined ? {} : parseJson(body, bodyBytesMax);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw Refused.because(INVALID_INPUT, 'the body must be a JSON object');
}

function fromQuery(
  { query, body }: RequestParts,
  fields: ReadonlyMap<string, QueryField>,
): Record<string, unknown> {
  if (body !== undefined && body.length > 0) {
    throw Refused.because(INVALID_INPUT, 'this method takes no body; use the query');
  }
  const input: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(query)) {
    const field = fields.get(name);
    if (!field) throw invalid(name, 'there is no such query parameter');
    input[field.field] = queryValue(name, value, field);
  }
  return input;
}

function queryValue(name: string, value: string | readonly string[], field: QueryField): unknown {
  const values = typeof value === 'string' ? [value] : value;
  if (!field.many && values.length > 1) throw invalid(name, 'may be given only once');
  const typed = values.map((text) => typedValue(name, text, field));
  return typed.length === 1 && field.alone ? typed[0] : typed;
}

function typedValue(name: string, text: string, { kind }: QueryField): unknown {
  if (CONTROL.test(text)) throw invalid(name, 'may hold no control characters');
  if (kind === 'text') return text;
  if (kind === 'number' && NUMBER.test(text)) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  throw invalid(name, kind === 'number' ? 'must be a number' : 'must be true or false');
}

/** The path names the thing; a body that names another one is a mistake. */
function withPath(
  given: Record<string, unknown>,
  names: readonly string[],
  params: Readonly<Record<string, string>>,
): Record<string, unknown> {
  for (const name of names) {
    const value = params[name];
    if (Object.hasOwn(given, name) && given[name] !== value) {
      throw invalid(name, 'differs from the one in the path; leave it out');
    }
    given[name] = value;
  }
  return given;
}

function withIdempotencyKey(
  input: Record<string, unknown>,
  path: readonly string[],
  key: string,
): Record<string, unknown> {
  const [outer] = path.length > 1 ? path : [];
  const holder = outer === undefined ? input : input[outer];
  if (typeof holder !== 'object' || holder === null) return input;
  const fields = holder as Record<string, unknown>;
  if (Object.hasOwn(fields, IDEMPOTENCY_FIELD) && fields[IDEMPOTENCY_FIELD] !== key) {
    throw invalid(path.join('.'), 'differs from the Idempotency-Key header; give one of them');
  }
  fields[IDEMPOTENCY_FIELD] = key;
  return input;
}

const invalid = (field: string, detail: string): Refused =>
  Refused.because(INVALID_INPUT, `${field.slice(0, 100)}: ${detail}`, field.slice(0, 100));
