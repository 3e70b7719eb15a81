import {
  agentRecord,
  claimedTask,
  keyRecord,
  newTask,
  progressReport,
  routingDecision,
  taskError,
  taskRecord,
} from '@athena/contracts';
import type { Operation } from '@athena/operation';
import { z } from 'zod';
import { pathFields, takesBody } from './input.js';

export type Json = Record<string, unknown>;
export const schemaRef = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** Records that several operations show, by the name they have in the document. */
const RECORDS: Readonly<Record<string, z.ZodType>> = {
  Agent: agentRecord,
  ClaimedTask: claimedTask,
  Key: keyRecord,
  NewTask: newTask,
  ProgressReport: progressReport,
  RoutingDecision: routingDecision,
  Task: taskRecord,
  TaskError: taskError,
};

/** `task.createBatch` → `TaskCreateBatch`. */
export const typeName = ({ name }: Operation): string =>
  name
    .split('.')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');

export const inputName = (operation: Operation): string => `${typeName(operation)}Input`;
export const outputName = (operation: Operation): string => `${typeName(operation)}Output`;

const problem: Json = {
  type: 'object',
  description: 'RFC 9457. `code` names the refusal, the same on every surface.',
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    field: { type: 'string', description: 'The input field at fault, as a dotted path.' },
    remedy: { type: 'string', description: 'What to do about it.' },
    requestId: { type: 'string' },
    retryable: {
      type: 'boolean',
      description: 'Whether the same request may succeed later without being changed.',
    },
  },
  required: ['type', 'title', 'status', 'code', 'detail', 'remedy', 'requestId', 'retryable'],
};

/** All component schemas: each operation's body and answer, the shared records, the problem. */
export function componentSchemas(operations: readonly Operation[]): Record<string, Json> {
  const inputs = operations.filter(({ http }) => http && takesBody(http));
  const bodies = Object.fromEntries(inputs.map((o) => [inputName(o), o.input]));
  const outputs = Object.fromEntries(operations.map((o) => [outputName(o), o.output]));
  const ins = jsonSchemas(
    { NewTask: newTask, ProgressReport: progressReport, TaskError: taskError, ...bodies },
    'input',
  );
  const outs = jsonSchemas({ ...RECORDS, ...outputs }, 'output');
  for (const operation of inputs) withoutPathFields(operation, ins[inputName(operation)] as Json);
  for (const schema of Object.values(outs)) openForMore(schema);
  const { NewTask, ...rest } = ins;
  return sorted({ ...outs, ...rest, NewTask: NewTask as Json, Problem: problem });
}

/** JSON Schemas by name; what is named once is referred to wherever it is used. */
export function jsonSchemas(
  schemas: Readonly<Record<string, z.ZodType>>,
  io: 'input' | 'output',
): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const { schemas: generated } = z.toJSONSchema(registry, {
    io,
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // The format says it; the pattern that spells it out is of use to nobody.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  });
  return Object.fromEntries(
    Object.entries(generated).map(([name, { $schema: _s, $id: _i, ...schema }]) => [name, schema]),
  );
}

/** What the path says is not repeated in the body. */
function withoutPathFields({ http }: Operation, schema: Json): void {
  const names = http ? pathFields(http) : [];
  const { properties, required } = schema as { properties?: Json; required?: string[] };
  for (const name of names) delete properties?.[name];
  if (required) schema['required'] = required.filter((name) => !names.includes(name));
  if ((schema['required'] as string[] | undefined)?.length === 0) delete schema['required'];
}

/** Answers may gain fields in later versions: readers must not refuse them. */
export function openForMore(schema: unknown): void {
  if (typeof schema !== 'object' || schema === null) return;
  const fields = schema as Json;
  if (fields['additionalProperties'] === false) delete fields['additionalProperties'];
  for (const inner of Object.values(fields)) openForMore(inner);
}

const sorted = (schemas: Record<string, Json>): Record<string, Json> =>
  Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
