import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { operations } from '@athena/contracts';
import type { HttpBinding, Operation } from '@athena/operation';
import { GatewayWorld, askAt, type Ask } from '../gateway.scenario.js';
import { inputSchema, pathFields, queryFields, takesBody } from './input.js';

/*
 * Every operation with an HTTP binding is asked with inputs that its own schema forbids, generated
 * from that schema: so a new operation is covered the moment it exists. Each must be answered by a
 * 4xx problem that names its code, and nobody may be called.
 */
type Bound = Operation & { readonly http: HttpBinding };
interface Schema {
  readonly type?: string;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}
interface Request {
  readonly what: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
}

const TASK = '01890000-0000-8000-8000-000000000000';
/** Valid inputs that a schema alone does not tell: rules between fields. */
const RULES: Readonly<Record<string, Record<string, unknown>>> = {
  'route.advise': { taskId: TASK },
  'schedule.create': { every: '1h', task: { content: 'x', taskType: 'x' } },
  'schedule.preview': { every: '1h' },
};
const HOSTILE_IDS = [
  '*',
  '%3E',
  'a.b',
  'a%20b',
  'a%00b',
  'a%0D%0Ab',
  '%2E%2E%2Fetc',
  "'%20OR%201=1--",
  '%F0%9F%92%A3',
  'x'.repeat(129),
];

const bound = operations.filter((operation): operation is Bound => operation.http !== undefined);
let world: GatewayWorld;
let ask: Ask;
beforeAll(async () => {
  world = await GatewayWorld.start();
  ask = askAt(await world.gateway());
});
afterAll(() => world.stop());
beforeEach(() => world.services.reset());

/** The smallest value that fits a schema. */
function sample(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return sample(schema.anyOf[0] as Schema);
  switch (schema.type) {
    case 'string':
      return /\[0-9a-f\]\{8\}/.test(schema.pattern ?? '') ? TASK : 'x';
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 1, 1);
    case 'boolean':
      return true;
    case 'array':
      return [sample(schema.items as Schema)];
    case 'object':
      return sampleObject(schema);
    default:
      return 'anything';
  }
}
const sampleObject = ({ properties = {}, required = [] }: Schema): Record<string, unknown> =>
  Object.fromEntries(required.map((name) => [name, sample(properties[name] as Schema)]));

/** The list that a field is, or may be. */
const listOf = (schema: Schema): Schema | undefined =>
  [schema, ...(schema.anyOf ?? [])].find(({ type }) => type === 'array');

/** Values that a schema forbids, with what is wrong with them. */
function* forbidden(schema: Schema): Generator<[string, unknown]> {
  const either = listOf(schema);
  if (either && schema.anyOf) {
    yield* forbidden(either.items ?? {});
    return;
  }
  if (schema.anyOf || schema.type === undefined) return;
  const wrongType = schema.type === 'string' ? { a: 1 } : 'wrong';
  yield ['of the wrong type', wrongType];
  yield ['null', null];
  if (schema.maxLength) yield ['too long', 'x'.repeat(schema.maxLength + 1)];
  if (schema.pattern) yield ['of the wrong form', '\u0000*.>'];
  if (schema.enum) yield ['not of the list', 'neither'];
  if (schema.minimum !== undefined) yield ['too small', schema.minimum - 1];
  if (schema.maximum !== undefined) yield ['too large', schema.maximum + 1];
  if (schema.maxItems !== undefined) {
    yield [
      'too many',
      Array.from({ length: schema.maxItems + 1 }, () => sample(schema.items ?? {})),
    ];
  }
}

function valid(operation: Bound): {
  params: Record<string, string>;
  rest: Record<string, unknown>;
} {
  const { properties = {} } = inputSchema(operation) as Schema;
  const names = pathFields(operation.http);
  const params = names.map((name) => [name, String(sample(properties[name] as Schema))]);
  const all = { ...sampleObject(inputSchema(operation) as Schema), ...RULES[operation.name] };
  const rest = Object.entries(all).filter(([name]) => !names.includes(name));
  return { params: Object.fromEntries(params), rest: Object.fromEntries(rest) };
}

function* hostileBodies(operation: Bound): Generator<Request> {
  const { properties = {}, required = [] } = inputSchema(operation) as Schema;
  const { params, rest } = valid(operation);
  const names = pathFields(operation.http);
  for (const body of [[], 'text', 7, null, [rest]]) {
    yield { what: `a body that is ${JSON.stringify(body)}`, params, body: JSON.stringify(body) };
  }
  yield { what: 'an unknown field', params, body: { ...rest, status: 'completed' } };
  yield { what: 'a foreign project', params, body: { ...rest, projectId: 'other' } };
  yield { what: '__proto__', params, body: `{"__proto__":{"admin":true}}` };
  for (const name of required.filter((field) => !names.includes(field))) {
    const { [name]: _, ...without } = rest;
    yield { what: `no ${name}`, params, body: without };
  }
  for (const [name, schema] of Object.entries(properties)) {
    if (names.includes(name)) continue;
    for (const [what, value] of forbidden(schema)) {
      yield { what: `${name} ${what}`, params, body: { ...rest, [name]: value } };
    }
  }
}

function* hostileQueries(operation: Bound): Generator<Request> {
  const { properties = {} } = inputSchema(operation) as Schema;
  const { params } = valid(operation);
  yield { what: 'an unknown parameter', params, query: 'nope=1' };
  for (const [name, { field, many }] of queryFields(operation, operation.http)) {
    if (!many) yield { what: `${name} twice`, params, query: `${name}=1&${name}=2` };
    const schema = properties[field] as Schema;
    for (const [what, value] of forbidden(many ? (listOf(schema)?.items as Schema) : schema)) {
      if (typeof value === 'object') continue;
      const query = new URLSearchParams([[name, `${value as string | number}`]]).toString();
      yield { what: `${name} ${what}`, params, query };
    }
  }
}

function* hostilePaths(operation: Bound): Generator<Request> {
  const { params, rest } = valid(operation);
  for (const name of Object.keys(params)) {
    for (const id of HOSTILE_IDS) {
      const request = { what: `${name} ${id}`, params: { ...params, [name]: id } };
      yield takesBody(operation.http) ? { ...request, body: rest } : request;
    }
  }
}

function send(operation: Bound, { params, query, body }: Omit<Request, 'what'>): ReturnType<Ask> {
  const path = operation.http.path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => params[name] ?? '',
  );
  const url = query === undefined ? path : `${path}?${query}`;
  return ask(operation.http.method, url, body === undefined ? {} : { body });
}

describe('hostile inputs', () => {
  it.each(bound.map((operation) => [operation.name, operation] as const))(
    'of %s are refused as problems, and nobody is called',
    async (_name, operation) => {
      const { params, rest } = valid(operation);
      const takes = takesBody(operation.http);
      const query = new URLSearchParams(rest as Record<string, string>).toString();
      const good = await send(operation, takes ? { params, body: rest } : { params, query });
      expect([good.status, good.body.code]).not.toContain('INVALID_INPUT');
      world.services.reset();
      const end = await world.log.endSeq();

      const hostile = [
        ...(takes ? hostileBodies(operation) : hostileQueries(operation)),
        ...hostilePaths(operation),
      ];
      const accepted: string[] = [];
      for (const request of hostile) {
        const { status, headers, body } = await send(operation, request);
        const problem = /^application\/problem\+json/.test(headers.get('content-type') ?? '');
        const refused = status >= 400 && status < 500 && problem && Boolean(body.code);
        if (!refused) accepted.push(`${request.what}: ${status} ${body.code}`);
      }

      expect(accepted).toEqual([]);
      expect(hostile.length).toBeGreaterThan(0);
      expect(world.services.commands).toEqual([]);
      expect(await world.log.endSeq()).toBe(end);
    },
  );
});
