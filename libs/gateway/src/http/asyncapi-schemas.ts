import { limits } from '@athena/contracts';
import type { Operation } from '@athena/operation';
import type { z } from 'zod';
import {
  inputName,
  jsonSchemas,
  openForMore,
  outputName,
  schemaRef,
  typeName,
} from './openapi-schemas.js';
import type { Json } from './openapi-schemas.js';

/** What an agent says with a verb: who it is, its subject says. */
export const verbName = (operation: Operation): string => `${typeName(operation)}Verb`;

/** Whole inputs of applications and agents, answers, and the refusal. */
export function messageSchemas(
  apps: readonly Operation[],
  verbs: readonly Operation[],
): Record<string, Json> {
  const named = (
    operations: readonly Operation[],
    name: (operation: Operation) => string,
    side: 'input' | 'output',
  ): Record<string, z.ZodType> => Object.fromEntries(operations.map((o) => [name(o), o[side]]));
  const inputs = jsonSchemas(
    { ...named(apps, inputName, 'input'), ...named(verbs, verbName, 'input') },
    'input',
  );
  for (const verb of verbs) withoutIdentity(inputs[verbName(verb)] as Json);
  const outputs = jsonSchemas(named([...apps, ...verbs], outputName, 'output'), 'output');
  for (const schema of Object.values(outputs)) openForMore(schema);
  return { ...inputs, ...outputs, Refusal: refusal };
}

/** What a body says about who asks counts for nothing. */
function withoutIdentity(schema: Json): void {
  const { properties, required = [] } = schema as { properties?: Json; required?: string[] };
  delete properties?.['agentId'];
  const left = required.filter((name) => name !== 'agentId');
  if (left.length > 0) schema['required'] = left;
  else delete schema['required'];
}

const refusal: Json = {
  type: 'object',
  description: '`code` names the refusal, the same on every surface.',
  properties: {
    code: { type: 'string' },
    detail: { type: 'string' },
    retryable: {
      type: 'boolean',
      description: 'Whether the same request may succeed later without being changed.',
    },
    field: { type: 'string', description: 'The input field at fault, as a dotted path.' },
  },
  required: ['code', 'detail', 'retryable'],
};

/** One of them, or many in one message. */
export const oneOrMany = (schema: Json): Json => ({ anyOf: [schema, itemsOf(schema)] });

/** One answer, or one for each item, in the same order. */
export const answerOrMany = (schema: Json): Json => ({
  anyOf: [schema, itemsOf({ anyOf: [schema, refusedItem] })],
});

const itemsOf = (schema: Json): Json => ({
  type: 'object',
  properties: { items: { type: 'array', items: schema, minItems: 1, maxItems: limits.ITEMS_MAX } },
  required: ['items'],
});

const refusedItem: Json = {
  type: 'object',
  properties: { refusal: schemaRef('Refusal') },
  required: ['refusal'],
};
