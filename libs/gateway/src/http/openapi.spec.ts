import { describe, expect, it } from '@jest/globals';
import { operations } from '@athena/contracts';
import type { HttpBinding, Operation } from '@athena/operation';
import { pathFields, takesBody } from './input.js';
import { openApiDocument } from './openapi.js';
import { inputName, outputName } from './openapi-schemas.js';
import { statusOf } from './problem.js';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
}
interface PathItem {
  readonly operationId: string;
  readonly security: readonly Record<string, readonly string[]>[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean };
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly additionalProperties?: unknown;
}
type Bound = Operation & { readonly http: HttpBinding };

const document = openApiDocument(operations);
const text = JSON.stringify(document);
const bound = operations.filter((operation): operation is Bound => operation.http !== undefined);
const itemOf = ({ http }: Bound): PathItem =>
  document.paths[http.path]?.[http.method.toLowerCase()] as unknown as PathItem;
const schemaOf = (name: string): Schema => document.components.schemas[name] as Schema;

describe('the OpenAPI document', () => {
  it('has every operation with a binding, once, and no internal one', () => {
    const items = Object.values(document.paths).flatMap((path) => Object.values(path));
    const ids = items.map(({ operationId }) => operationId);
    expect(ids).toHaveLength(bound.length);
    expect(new Set(ids).size).toBe(bound.length);
    expect(text).not.toMatch(/createChunk|openRouter|agent\.bind|secretHash/);
  });

  it('resolves all of its references and carries no leftovers of their making', () => {
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(
      ([, path]) => path as string,
    );
    const resolved = (path: string): unknown =>
      path
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], document);

    expect(references.filter((path) => resolved(path) === undefined)).toEqual([]);
    expect(references.length).toBeGreaterThan(100);
    expect(text).not.toMatch(/\$schema|\$id|\$defs/);
  });

  it('is the same every time it is made', () => {
    expect(JSON.stringify(openApiDocument(operations))).toBe(text);
  });

  it.each(bound.map((operation) => [operation.name, operation] as const))(
    'tells how to call %s',
    (_name, operation) => {
      const { parameters, requestBody, security } = itemOf(operation);
      const inPath = parameters.filter((parameter) => parameter.in === 'path');

      expect(inPath.map(({ name }) => name)).toEqual(pathFields(operation.http));
      expect(inPath.every(({ required }) => required)).toBe(true);
      expect(requestBody !== undefined).toBe(takesBody(operation.http));
      expect(security).toEqual([{ apiKey: [operation.scope] }]);
      if (!takesBody(operation.http)) return;
      const body = schemaOf(inputName(operation));
      const repeated = pathFields(operation.http).filter((name) => name in (body.properties ?? {}));
      expect(repeated).toEqual([]);
      expect(body.additionalProperties).toBe(false);
    },
  );

  it.each(bound.map((operation) => [operation.name, operation] as const))(
    'tells what %s answers, refusals included',
    (_name, operation) => {
      const { responses } = itemOf(operation);
      const success = JSON.stringify(responses[operation.http.status ?? 200]);

      expect(success).toContain(`#/components/schemas/${outputName(operation)}`);
      expect(success).toContain('Athena-Seq');
      for (const refusal of operation.refusals) {
        const answer = JSON.stringify(responses[statusOf(refusal)]);
        expect(answer).toContain(`"${refusal.code}"`);
        expect(answer).toContain('application/problem+json');
      }
      expect(Object.keys(responses)).toEqual(expect.arrayContaining(['400', '401', '403', '503']));
    },
  );

  it('lets answers grow: their schemas forbid no further fields', () => {
    expect(schemaOf('Task').properties).toHaveProperty('taskId');
    expect(schemaOf('Task')).not.toHaveProperty('additionalProperties');
  });

  it('names query parameters as the query does', () => {
    const find = bound.find(({ name }) => name === 'agent.find') as Bound;
    const names = itemOf(find).parameters.map(({ name }) => name);
    expect(names).toContain('capability');
    expect(names).not.toContain('requirements');
  });

  it('offers the idempotency key wherever the input has one', () => {
    const takers = bound.filter((operation) =>
      itemOf(operation).parameters.some(({ name }) => name === 'Idempotency-Key'),
    );
    expect(takers.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['task.create', 'task.createBatch', 'task.dispatch']),
    );
    expect(takers.map(({ name }) => name)).not.toContain('task.cancel');
  });
});
