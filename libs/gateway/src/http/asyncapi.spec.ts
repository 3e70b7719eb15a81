import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { operations } from '@athena/contracts';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { asyncApiDocument } from './asyncapi.js';
import { errorCatalogue } from './error-catalogue.js';

interface Channel {
  readonly address: string | null;
  readonly parameters?: Record<string, unknown>;
}

const document = asyncApiDocument(operations);
const text = JSON.stringify(document);
const addresses = Object.values(document.channels).map(
  (channel) => (channel as never as Channel).address,
);

/** The official schema of AsyncAPI documents. */
function validator() {
  const path = createRequire(import.meta.url).resolve(
    '@asyncapi/specs/schemas/3.0.0-without-$id.json',
  );
  const schema = JSON.parse(readFileSync(path, 'utf8')) as object;
  return new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
}

/** What `#/a/b` names in the document. */
const target = (reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .reduce(
      (inner: unknown, name) => (inner as Record<string, unknown> | undefined)?.[name],
      document,
    );

describe('the AsyncAPI document', () => {
  it('is one by the official schema', () => {
    const validate = validator();
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    validate({ ...document, operations: { broken: { action: 'shout' } } });
    expect(validate.errors ?? []).not.toEqual([]);
  });

  it('has nothing that points nowhere', () => {
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
    expect(references.length).toBeGreaterThan(300);
    expect(references.filter((reference) => target(reference as string) === undefined)).toEqual([]);
  });

  it('has a subject for each verb of agents, and for all that applications may call', () => {
    const verbs = operations.flatMap(({ agentVerb }) => agentVerb ?? []);
    const names = operations
      .filter(({ scope }) => scope && scope !== 'admin')
      .map(({ name }) => name);
    expect(addresses.filter((address) => address !== null).sort()).toEqual(
      [
        ...verbs.map((verb) => `athena.v1.{project}.{agentId}.${verb}`),
        ...names.map((name) => `athena.api.v1.{project}.${name}`),
      ].sort(),
    );
    expect(text).not.toMatch(/createChunk|openRouter|agent\.bind|secretHash|athena\.events/);
  });

  it('leaves who an agent is to its subject', () => {
    const { AgentRegisterVerb, TaskStartVerb } = document.components.schemas;
    expect(AgentRegisterVerb).toMatchObject({ required: ['capabilities'] });
    expect(AgentRegisterVerb).not.toHaveProperty('properties.agentId');
    expect(TaskStartVerb).toHaveProperty('properties.lease');
  });
});

describe('the catalogue of errors', () => {
  const catalogue = errorCatalogue(operations);
  const byCode = new Map(catalogue.map((one) => [one.code, one]));

  it('has every declared refusal of every operation', () => {
    for (const { name, refusals } of operations) {
      for (const { code } of refusals) expect(byCode.get(code)?.operations).toContain(name);
    }
  });

  it('says what each surface answers', () => {
    expect(byCode.get('TASK_NOT_FOUND')).toMatchObject({ httpStatus: 404, natsCode: 404 });
    expect(byCode.get('IDEMPOTENCY_MISMATCH')).toMatchObject({ httpStatus: 422, natsCode: 422 });
    expect(byCode.get('METHOD_NOT_ALLOWED')).toMatchObject({ httpStatus: 405, natsCode: null });
  });
});
