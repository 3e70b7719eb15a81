import { tools } from '@athena/mcp';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { As } from './life.scenario.js';
import type { Row } from './row.scenario.js';
import {
  refused,
  type Door,
  type Outcome,
  type Refused,
  type Surface,
} from './surface.scenario.js';

/*
 * MCP tells less on purpose (docs/mcp.md): what is null or empty is left out, fractions are
 * rounded, a refusal has no `retryable`, and an answer has the fields that a tool offers. Names
 * are the operation's in snake_case. Here both sides are brought to what is left of them: the same.
 */
const PREFIX = 'orchestration_';
const FRACTION_DIGITS = 4;
/** What people put in there has names of their own. */
const OPAQUE: ReadonlySet<string> = new Set(['content', 'result', 'metadata']);

const definitions = new Map(tools.map((tool) => [tool.definition.name, tool]));
const camel = (text: string): string =>
  text.replaceAll(/_([a-z])/g, (_whole, letter: string) => letter.toUpperCase());
const snake = (text: string): string =>
  text.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export async function mcp({ url, keys }: Door): Promise<Surface> {
  const hosts = new Map<As, Client>();
  for (const as of ['own', 'agent'] as const) {
    const client = new Client({ name: 'parity', version: '1' });
    const headers = { authorization: `Bearer ${keys[as]}` };
    const address = new URL(`${url}/mcp`);
    await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers } }));
    hosts.set(as, client);
  }
  return {
    offers: (row, as) => row.mcp !== undefined && hosts.has(as),
    async call(row, input, as) {
      const { name, fields } = offered(row);
      const args = { ...argumentsOf(row, input), ...(fields.length > 0 && { fields }) };
      const answer = await hosts.get(as)?.callTool({ name, arguments: args });
      const told = named(answer?.structuredContent, camel);
      return answer?.isError ? plainRefusal(told as never) : { answer: terse(told) };
    },
    expected(outcome, row) {
      if ('refused' in outcome) return plainRefusal(outcome.refused);
      const told = row.mcp?.tells ? row.mcp.tells(outcome.answer) : outcome.answer;
      const { all } = offered(row);
      const entries = Object.entries(told as object).filter(([key]) => all.has(snake(key)));
      return { answer: terse(Object.fromEntries(entries)) };
    },
    close: async () => void (await Promise.all([...hosts.values()].map((host) => host.close()))),
  };
}

/** The tool's name, the fields to ask for, and all that its answer can have at the top. */
function offered({ mcp }: Row): { name: string; fields: readonly string[]; all: Set<string> } {
  const name = PREFIX + (mcp?.tool ?? '');
  const { inputSchema, outputSchema } = definitions.get(name)?.definition ?? {};
  const choice = inputSchema?.properties?.['fields']?.items?.enum as string[] | undefined;
  const fields = mcp?.fields?.map(snake) ?? choice ?? [];
  return {
    name,
    fields,
    all: new Set([...fields, ...Object.keys(outputSchema?.properties ?? {})]),
  };
}

function argumentsOf({ mcp }: Row, input: unknown): Record<string, unknown> {
  const promised = new Map(Object.entries(mcp?.renames ?? {}).map(([here, own]) => [own, here]));
  const entries = Object.entries(input as Record<string, unknown>).map(([field, value]) => [
    promised.get(field) ?? snake(field),
    OPAQUE.has(field) ? value : named(value, snake),
  ]);
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function named(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => named(one, rename));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, one]): [string, unknown] => [
    rename(key),
    OPAQUE.has(key) ? one : named(one, rename),
  ]);
  return Object.fromEntries(entries);
}

/** Without what says nothing. */
function terse(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toFixed(FRACTION_DIGITS));
  if (Array.isArray(value)) return value.map((one: unknown) => terse(one));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, one]) => [camel(key), OPAQUE.has(key) ? one : terse(one)] as const)
    .filter(([key, one]) => !saysNothing(one, OPAQUE.has(key)));
  return Object.fromEntries(entries);
}

const saysNothing = (value: unknown, opaque: boolean): boolean =>
  value === null ||
  value === undefined ||
  (!opaque && typeof value === 'object' && Object.keys(value).length === 0);

const plainRefusal = ({ code, detail, field }: Refused): Outcome =>
  refused({ code, detail: camel(detail), field: field && camel(field) });
