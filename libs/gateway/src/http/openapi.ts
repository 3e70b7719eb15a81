import {
  FORBIDDEN,
  INTERNAL,
  INVALID_INPUT,
  OUTCOME_UNKNOWN,
  OVERLOADED,
  PAYLOAD_TOO_LARGE,
  UNAUTHENTICATED,
  UNAVAILABLE,
  type HttpBinding,
  type Operation,
  type RefusalDefinition,
} from '@athena/operation';
import { inputSchema, pathFields, queryFields, takesBody } from './input.js';
import {
  componentSchemas,
  inputName,
  outputName,
  schemaRef,
  typeName,
  type Json,
} from './openapi-schemas.js';
import { statusOf } from './problem.js';
import { UNSUPPORTED_MEDIA_TYPE } from './refusals.js';

/** An OpenAPI 3.1 document; only what others build on is spelled out. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Json;
  readonly paths: Record<string, Record<string, Json>>;
  readonly components: { readonly schemas: Record<string, Json> } & Record<string, unknown>;
  readonly [more: string]: unknown;
}

type Bound = Operation & { readonly http: HttpBinding };

/** Refusals that any operation may answer. */
const ALWAYS = [INVALID_INPUT, UNAUTHENTICATED, FORBIDDEN, OVERLOADED, INTERNAL, UNAVAILABLE];
const WITH_BODY = [PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE];

/** The document of every operation that has an HTTP binding. Pure: the same in, the same out. */
export function openApiDocument(operations: readonly Operation[]): OpenApiDocument {
  const bound = operations.filter((operation): operation is Bound => operation.http !== undefined);
  const paths: Record<string, Record<string, Json>> = {};
  for (const operation of bound) {
    const { path, method } = operation.http;
    paths[path] = { ...paths[path], [method.toLowerCase()]: pathItem(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Athena',
      version: '1',
      description:
        'A control plane for fleets of agents. Every call needs an API key; lists and statistics ' +
        'follow the log by moments, and wait for it with `minSeq` (the `Athena-Seq` of a write).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ apiKey: [] }],
    tags: tagsOf(bound),
    paths,
    components: {
      securitySchemes: {
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'An API key: `Authorization: Bearer ak_…`. Its scopes say what it may do.',
        },
      },
      headers,
      schemas: componentSchemas(bound),
    },
  };
}

const headers: Json = {
  'Athena-Seq': {
    description: 'Log position that the answer reflects; give it as `minSeq` to later reads.',
    schema: { type: 'integer', minimum: 0 },
  },
  'X-Request-Id': {
    description: 'Names the request in the logs; one that you send is kept.',
    schema: { type: 'string' },
  },
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } },
};
const headerRef = (name: string): Json => ({ $ref: `#/components/headers/${name}` });

const tagOf = ({ name }: Operation): string => name.split('.')[0] as string;
const tagsOf = (operations: readonly Operation[]): Json[] =>
  [...new Set(operations.map(tagOf))].sort().map((name) => ({ name }));

function pathItem(operation: Bound): Json {
  const { name, summary, scope, agentsToo, http } = operation;
  const id = typeName(operation);
  const or = agentsToo ? ', or `agent` for the key’s own agents' : '';
  return {
    operationId: id.charAt(0).toLowerCase() + id.slice(1),
    tags: [tagOf(operation)],
    summary,
    description: `Operation \`${name}\`. Needs scope \`${scope}\`${or}.`,
    security: [{ apiKey: scope === undefined ? [] : [scope] }],
    parameters: parametersOf(operation),
    ...(takesBody(http) ? { requestBody: bodyOf(operation) } : {}),
    responses: responsesOf(operation),
  };
}

function parametersOf(operation: Bound): Json[] {
  const { properties = {}, required = [] } = inputSchema(operation) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  const inPath = pathFields(operation.http).map((name) => ({
    name,
    in: 'path',
    required: true,
    schema: properties[name] ?? {},
  }));
  const inQuery = [...queryFields(operation, operation.http)].map(([name, { field }]) => ({
    name,
    in: 'query',
    required: required.includes(field),
    schema: withoutDatePattern(properties[field] ?? {}),
  }));
  return [...inPath, ...inQuery, ...(takesKey(operation) ? [idempotencyKey] : [])];
}

/** The format says it; the pattern that spells it out is of use to nobody. */
function withoutDatePattern(schema: Json): Json {
  const { pattern: _, ...rest } = schema;
  return schema['format'] === 'date-time' ? rest : schema;
}

const takesKey = (operation: Bound): boolean =>
  JSON.stringify(inputSchema(operation)).includes('"idempotencyKey":');

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'A repeat with the same key and the same input changes nothing more.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_-]+$', maxLength: 128 },
};

const bodyOf = (operation: Bound): Json => ({
  required: isRequired(operation),
  content: { 'application/json': { schema: schemaRef(inputName(operation)) } },
});

function isRequired(operation: Bound): boolean {
  const { required = [] } = inputSchema(operation) as { required?: string[] };
  const inPath = pathFields(operation.http);
  return required.some((name) => !inPath.includes(name));
}

function responsesOf(operation: Bound): Json {
  const byStatus = new Map<number, RefusalDefinition[]>();
  for (const refusal of refusalsOf(operation)) {
    const status = statusOf(refusal);
    byStatus.set(status, [...(byStatus.get(status) ?? []), refusal]);
  }
  const responses: Json = { [operation.http.status ?? 200]: answerOf(operation) };
  for (const [status, refusals] of byStatus) responses[status] = problemOf(status, refusals);
  return responses;
}

function refusalsOf(operation: Bound): Set<RefusalDefinition> {
  const { refusals, kind, http } = operation;
  return new Set([
    ...ALWAYS,
    ...(takesBody(http) ? WITH_BODY : []),
    ...(kind === 'command' ? [OUTCOME_UNKNOWN] : []),
    ...refusals,
  ]);
}

const answerOf = (operation: Bound): Json => ({
  description: operation.http.status === 201 ? 'Made.' : 'Done.',
  headers: {
    'Athena-Seq': headerRef('Athena-Seq'),
    'X-Request-Id': headerRef('X-Request-Id'),
  },
  content: { 'application/json': { schema: schemaRef(outputName(operation)) } },
});

function problemOf(status: number, refusals: readonly RefusalDefinition[]): Json {
  const codes = refusals.map(({ code }) => code);
  const schema = {
    allOf: [schemaRef('Problem'), { type: 'object', properties: { code: { enum: codes } } }],
  };
  return {
    description: refusals.map(({ code, summary }) => `\`${code}\`: ${summary}`).join('\n\n'),
    headers: {
      'X-Request-Id': headerRef('X-Request-Id'),
      ...(status === 429 || status === 503 ? { 'Retry-After': headerRef('Retry-After') } : {}),
    },
    content: { 'application/problem+json': { schema } },
  };
}
