import { derive } from '../../../cli/src/derive/operation-command.js';
import { kebab, pathOf } from '../../../cli/src/derive/naming.js';
import { run } from '../../../cli/src/run.js';
import { worldWith } from '../../../cli/src/scenarios/world.scenario.js';
import type { Operation } from '@athena/operation';
import {
  refused,
  withoutRetryable,
  type Door,
  type Outcome,
  type Surface,
} from './surface.scenario.js';

/** The command line, run in this process. */
export async function cli({ url, keys }: Door): Promise<Surface> {
  return {
    offers: () => true,
    retries: true,
    async call({ operation }, input, as) {
      const env = { ATHENA_URL: url, ATHENA_API_KEY: keys[as] };
      const world = { ...worldWith(), env };
      const status = await run([...commandLine(operation, input as never), '--json'], world);
      const told = world.said.join('\n');
      if (told !== '') return { answer: JSON.parse(told) };
      return refusalOf(operation, status, world.complained.join('\n'));
    },
    expected: withoutRetryable,
    close: async () => undefined,
  };
}

function commandLine(operation: Operation, input: Record<string, unknown>): string[] {
  const { positionals, flags } = derive(operation);
  const words = positionals.map(({ field }) => String(input[field]));
  const options = [
    ...flags.map(({ field, flag }) => ({ field, name: flag.name, kind: flag.kind })),
    { field: 'idempotencyKey', name: 'idempotency-key', kind: 'text' },
  ].flatMap(({ field, name, kind }) =>
    input[field] === undefined ? [] : option(name, kind, input[field]),
  );
  return [...pathOf(operation.name), ...words, ...options];
}

function option(name: string, kind: string, value: unknown): string[] {
  if (kind === 'boolean') return [value ? `--${name}` : `--no-${name}`];
  if (kind === 'list') return [`--${name}=${(value as string[]).join(',')}`];
  const asText = typeof value === 'string' && kind !== 'json';
  return [`--${name}=${asText ? value : JSON.stringify(value)}`];
}

const SAID = /^(?<code>[A-Z_]+): (?<detail>.*?)(?: \(field (?<field>[\w.]+)\))?$/m;
/** Checked before anything is sent, and told in the words of the command line, with status 2. */
const USAGE = /^athena [\w -]+: (?<title><\w+>|--[\w-]+)(?:, at (?<at>[\w.]+))?: (?<message>.*)$/m;

function refusalOf(operation: Operation, status: number, text: string): Outcome {
  if (status === 1) return refused(SAID.exec(text)?.groups as never);
  const { title = text, at, message } = USAGE.exec(text)?.groups ?? {};
  const { positionals, flags } = derive(operation);
  const titles = new Map<string, string>([
    ...positionals.map(({ field, name }) => [`<${name}>`, field] as const),
    ...flags.map(({ field, flag }) => [`--${flag.name}`, field] as const),
  ]);
  const top = titles.get(title) ?? `${status}: ${kebab(title)}`;
  const field = at === undefined ? top : `${top}.${at}`;
  return refused({ code: 'INVALID_INPUT', detail: `${field}: ${message}`, field });
}
