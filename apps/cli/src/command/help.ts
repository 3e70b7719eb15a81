import type { Command, Flag, Positional } from './command.js';
import { everywhere, whereNats, whereTo } from './global-flags.js';
import { columnsOf } from '../view/table.js';

const shared = new Set<Flag>([...whereTo, ...whereNats]);

const flagTitle = ({ name, kind, value, required }: Flag): string => {
  if (kind !== 'boolean') return `--${name} <${value ?? kind}>`;
  return required ? `--[no-]${name}` : `--${name}`;
};

const usageOf = ({ name, optional }: Positional): string => (optional ? `[${name}]` : `<${name}>`);

export function usageLine({ path, positionals, flags, rest }: Command): string {
  const words = ['athena', ...path, ...positionals.map(usageOf)];
  const required = flags.filter((flag) => flag.required).map(flagTitle);
  const options = flags.some((flag) => !flag.required) ? ['[options]'] : [];
  return [...words, ...required, ...options, ...(rest ? [`-- ${rest.name}`] : [])].join(' ');
}

/** A command's whole help text. */
export function commandHelp(command: Command): string {
  const { summary, positionals, flags, rest, notes = [] } = command;
  const own = flags.filter((flag) => !shared.has(flag));
  const connection = flags.filter((flag) => shared.has(flag));
  const args = [...positionals, ...(rest ? [rest] : [])];
  return [
    `${summary}\n`,
    `Usage: ${usageLine(command)}`,
    section(
      'Arguments',
      args.map((arg) => [arg.name, arg.summary]),
    ),
    section('Options', own.map(flagRow)),
    section('Where to', connection.map(flagRow)),
    section('Everywhere', everywhere.map(flagRow)),
    ...notes.map((note) => `\n${note}`),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

const flagRow = (flag: Flag): [string, string] => [
  flagTitle(flag),
  flag.required ? `required; ${flag.summary}`.replace(/; $/, '') : flag.summary,
];

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return '';
  return `\n${title}:\n${columnsOf(rows, { indent: 2 })}`;
}

/** What `athena` or `athena <noun>` alone says. */
export function overview(commands: readonly Command[], prefix: readonly string[]): string {
  const rows = commands.map(({ path, summary }): [string, string] => [
    path.slice(prefix.length).join(' '),
    summary,
  ]);
  const usage = ['athena', ...prefix, '<command> [options]'].join(' ');
  return [
    `Usage: ${usage}`,
    section('Commands', rows),
    '\nathena <command> --help says more. Every command takes --json.',
    'Where to: --url and --api-key, or ATHENA_URL and ATHENA_API_KEY, or --context NAME',
    '(athena context add), or the local stack of --data-dir (default .athena).',
    'Exit status: 0 done, 1 refused or failed, 2 wrong usage.',
  ].join('\n');
}
