import { operations, waitTime } from '@athena/contracts';
import { deepestIssue, type HttpBinding, type Operation } from '@athena/operation';
import type { Arguments } from '../command/arguments.js';
import {
  type Command,
  EXIT_FAILED,
  EXIT_OK,
  type Flag,
  type Positional,
  UsageError,
} from '../command/command.js';
import { CALL_MS_DEFAULT, timeoutFlag, whereTo } from '../command/global-flags.js';
import { connected } from '../place/connected.js';
import { asJson, view } from '../view/view.js';
import type { World } from '../world.js';
import { flagOf, summaryOf } from './flag.js';
import { kebab, pathOf } from './naming.js';
import { inputSchema } from './schema.js';

/** Which field each part of the command line fills. */
export interface Derivation {
  readonly positionals: readonly (Positional & { readonly field: string })[];
  readonly flags: readonly { readonly field: string; readonly flag: Flag }[];
}

const KEY_FIELD = 'idempotencyKey';
const keyFlag: Flag = {
  name: 'idempotency-key',
  kind: 'text',
  value: 'id',
  summary: 'makes a repeat of this command harmless (default: a new one)',
};

/** A command for every operation that has an outside. */
export const operationCommands = (): Command[] =>
  operations.filter(({ scope }) => scope !== undefined).map(operationCommand);

export function operationCommand(operation: Operation): Command {
  const derivation = derive(operation);
  const own = derivation.flags.map(({ flag }) => flag);
  const keyed = operation.kind === 'command' ? [keyFlag] : [];
  return {
    path: pathOf(operation.name),
    summary: operation.summary,
    positionals: derivation.positionals,
    flags: [...own, ...keyed, timeoutFlag, ...whereTo],
    notes: notesOf(operation),
    run: (given, world) => call(operation, derivation, given, world),
  };
}

export function derive(operation: Operation): Derivation {
  const { properties = {}, required = [] } = inputSchema(operation);
  const inPath = pathFields(operation.http);
  const positionals = inPath.map((field) => ({
    field,
    name: field,
    summary: summaryOf(field, 'text', properties[field] ?? {}) || 'a UUID',
  }));
  const names = new Map(
    Object.entries(operation.http?.query ?? {}).map(([query, field]) => [field, query]),
  );
  const flags = Object.entries(properties)
    .filter(([field]) => !inPath.includes(field) && field !== KEY_FIELD)
    .map(([field, schema]) => {
      const flag = flagOf(field, schema, required.includes(field));
      const query = names.get(field);
      return { field, flag: query ? { ...flag, name: kebab(query), alias: flag.name } : flag };
    });
  return { positionals, flags: flags.sort((a, b) => rank(a.flag) - rank(b.flag)) };
}

const rank = ({ required }: Flag): number => (required ? 0 : 1);

const pathFields = (http: HttpBinding | undefined): string[] =>
  [...(http?.path ?? '').matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);

function notesOf({ scope, refusals, http, verdict }: Operation): string[] {
  const codes = refusals.map(({ code }) => code).join(', ');
  return [
    `Scope ${scope}${http ? `; ${http.method} ${http.path}` : ''}.` +
      (codes ? `\nMay be refused with ${codes}.` : '') +
      (verdict ? `\nExit status 1 where the answer’s ${verdict} is false.` : ''),
  ];
}

async function call(
  operation: Operation,
  derivation: Derivation,
  given: Arguments,
  world: World,
): Promise<number> {
  const input = inputOf(operation, derivation, given);
  const waitMs = waitTime.safeParse(input['wait']).data ?? 0;
  const idempotencyKey = given.text(keyFlag.name);
  const answer = await connected(given, world, (client) =>
    client.call(operation, input, {
      timeoutMs: (given.number(timeoutFlag.name) ?? CALL_MS_DEFAULT) + waitMs,
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    }),
  );
  world.out(given.isOn('json') ? asJson(answer) : view(answer, world.columns));
  return isInOrder(operation, answer) ? EXIT_OK : EXIT_FAILED;
}

const isInOrder = ({ verdict }: Operation, answer: unknown): boolean =>
  verdict === undefined || (answer as Record<string, unknown>)[verdict] === true;

/** The operation's input from the command line. @throws UsageError where the schema forbids it */
export function inputOf(
  operation: Operation,
  { positionals, flags }: Derivation,
  given: Arguments,
): Record<string, unknown> {
  const titles = new Map<string, string>();
  const input: Record<string, unknown> = {};
  for (const { field, name } of positionals) {
    titles.set(field, `<${name}>`);
    input[field] = given.positional(name);
  }
  for (const { field, flag } of flags) {
    titles.set(field, `--${flag.name}`);
    if (given.has(flag.name)) input[field] = given.value(flag.name);
  }
  const checked = operation.input.safeParse(input);
  const first = checked.error?.issues[0];
  if (!first) return input;
  const issue = deepestIssue(first);
  const [field, ...deeper] = issue.path;
  const title = titles.get(String(field)) ?? operation.name;
  const place = deeper.length === 0 ? '' : `, at ${deeper.join('.')}`;
  throw new UsageError(`${title}${place}: ${issue.message}`);
}
