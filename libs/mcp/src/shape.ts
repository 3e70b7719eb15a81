import { INVALID_INPUT, Refused } from '@athena/operation';
import { branchesOf, type JsonSchema } from './json-schema.js';
import { snakeName } from './names.js';

/**
 * Where the names of an input or answer are: only declared ones are renamed. What people put into
 * a task's content, result or metadata stays as it is.
 */
export interface Shape {
  /** Nothing is declared: any JSON. */
  readonly opaque: boolean;
  /** By the operation's own name. */
  readonly fields: ReadonlyMap<string, Shape>;
  readonly items: Shape | undefined;
  /** Of the values under names that are data (a record's keys). */
  readonly values: Shape | undefined;
}

const ANYTHING: Shape = { opaque: true, fields: new Map(), items: undefined, values: undefined };

export function shapeOf(schema: JsonSchema): Shape {
  const { type, properties = {}, items, additionalProperties: values } = schema;
  const own: Shape = {
    opaque: type === undefined && schema.enum === undefined,
    fields: new Map(Object.entries(properties).map(([name, inner]) => [name, shapeOf(inner)])),
    items: items && shapeOf(items),
    values: typeof values === 'object' ? shapeOf(values) : undefined,
  };
  const [first, ...others] = branchesOf(schema).map(shapeOf);
  if (!first) return own;
  // Anything or null is anything; anything that is also a record is a record.
  const all = schema.allOf !== undefined;
  return others.reduce((a, b) => merged(a, b, all), first);
}

/** A value that fits one of two alternatives, or both where `all`. */
function merged(a: Shape, b: Shape, all: boolean): Shape {
  const names = [...a.fields.keys(), ...b.fields.keys()];
  return {
    opaque: all ? a.opaque && b.opaque : a.opaque || b.opaque,
    fields: new Map(names.map((name) => [name, eitherOf(a.fields.get(name), b.fields.get(name))])),
    items: optional(a.items, b.items),
    values: optional(a.values, b.values),
  };
}

const optional = (a: Shape | undefined, b: Shape | undefined): Shape | undefined =>
  a || b ? eitherOf(a, b) : undefined;
const eitherOf = (a: Shape | undefined, b: Shape | undefined): Shape =>
  a && b ? merged(a, b, false) : (a ?? b ?? ANYTHING);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A tool's arguments as the operation names them.
 * @throws Refused INVALID_INPUT for an argument under the operation's name: there is one spelling
 */
export function toOperation(value: unknown, shape: Shape, path: readonly string[] = []): unknown {
  if (Array.isArray(value)) {
    const { items } = shape;
    return items ? value.map((one, at) => toOperation(one, items, [...path, `${at}`])) : value;
  }
  if (!isObject(value) || shape.opaque) return value;
  const byTool = new Map([...shape.fields.keys()].map((name) => [snakeName(name), name]));
  const entries = Object.entries(value).map(([key, inner]) => {
    const name = byTool.get(key) ?? key;
    if (!byTool.has(key) && shape.fields.has(key)) throw misspelt([...path, key]);
    const field = shape.fields.get(name) ?? shape.values ?? ANYTHING;
    return [name, toOperation(inner, field, [...path, key])];
  });
  return Object.fromEntries(entries);
}

function misspelt(path: readonly string[]): Refused {
  const field = path.join('.');
  const right = snakeName(path.at(-1) ?? '');
  return Refused.because(INVALID_INPUT, `${field}: is called ${right} here`, field);
}

const FRACTION_DIGITS = 4;

/**
 * An operation's answer as tools tell it: renamed, without what is null or empty (`kept` names
 * fields of the answer itself that stay), fractions rounded to FRACTION_DIGITS.
 */
export function toTool(value: unknown, shape: Shape, kept?: ReadonlySet<string>): unknown {
  if (shape.opaque) return value;
  if (typeof value === 'number') return Number(value.toFixed(FRACTION_DIGITS));
  if (Array.isArray(value)) return value.map((one) => toTool(one, shape.items ?? ANYTHING));
  if (!isObject(value)) return value;
  const entries = Object.entries(value)
    .map(([key, inner]): [string, unknown, Shape] => {
      const field = shape.fields.get(key);
      const of = field ?? shape.values ?? ANYTHING;
      return [field ? snakeName(key) : key, toTool(inner, of), of];
    })
    .filter(([key, inner, field]) => kept?.has(key) || !saysNothing(inner, field))
    .map(([key, inner]) => [key, inner]);
  return Object.fromEntries(entries);
}

/** An empty list that a person put into a result says something; one of ours does not. */
const saysNothing = (value: unknown, { opaque }: Shape): boolean =>
  value === null ||
  value === undefined ||
  (!opaque && typeof value === 'object' && Object.keys(value).length === 0);

/** Every declared name, at any depth. */
export const namesIn = ({ fields, items, values }: Shape): string[] => [
  ...[...fields].flatMap(([name, inner]) => [name, ...namesIn(inner)]),
  ...(items ? namesIn(items) : []),
  ...(values ? namesIn(values) : []),
];
