import { parseArgs } from 'node:util';
import type { World } from '../world.js';
import { Arguments, type FlagValue } from './arguments.js';
import { type Command, type Flag, UsageError } from './command.js';
import { closest } from './closest.js';
import { everywhere } from './global-flags.js';
import { flagValue } from './value.js';

export const flagsOf = (command: Command): readonly Flag[] => [...command.flags, ...everywhere];

interface Split {
  /** Raw texts by flag name, in order; of booleans `true` and `false`. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
  readonly rest: readonly string[];
}

/** @throws UsageError that names what is wrong */
export async function parseArguments(
  command: Command,
  argv: readonly string[],
  world: World,
): Promise<Arguments> {
  const { flags, words, rest } = split(command, argv);
  const values = new Map<string, FlagValue>();
  for (const flag of flagsOf(command)) {
    const raw = flags.get(flag.name);
    if (raw) values.set(flag.name, await flagValue(flag, raw, world));
  }
  const given = new Arguments(command, values, positionals(command, words), rest);
  if (!given.isOn('help')) checkComplete(command, given);
  return given;
}

function split(command: Command, argv: readonly string[]): Split {
  const byName = new Map<string, Flag>();
  for (const flag of flagsOf(command)) {
    byName.set(flag.name, flag);
    if (flag.alias) byName.set(flag.alias, flag);
  }
  const { tokens } = parseArgs({
    args: [...argv],
    options: optionTypes(byName),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags = new Map<string, string[]>();
  const words: string[] = [];
  const rest: string[] = [];
  let behind = false;
  for (const token of tokens) {
    if (token.kind === 'option-terminator') behind = true;
    else if (token.kind === 'positional') (behind && command.rest ? rest : words).push(token.value);
    else {
      const [flag, text] = readOption(token, byName);
      flags.set(flag.name, [...(flags.get(flag.name) ?? []), text]);
    }
  }
  return { flags, words, rest };
}

function optionTypes(byName: ReadonlyMap<string, Flag>) {
  const types: Record<string, { type: 'string' | 'boolean'; short?: string }> = {};
  for (const [name, { kind }] of byName) {
    types[name] = { type: kind === 'boolean' ? 'boolean' : 'string' };
    if (kind === 'boolean') types[`no-${name}`] = { type: 'boolean' };
  }
  return { ...types, help: { type: 'boolean' as const, short: 'h' } };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function readOption(token: OptionToken, byName: ReadonlyMap<string, Flag>): [Flag, string] {
  const { name, rawName, value, inlineValue } = token;
  const flag = byName.get(name);
  if (flag?.kind === 'boolean') return [flag, value ?? 'true'];
  if (flag) {
    if (value === undefined || (!inlineValue && value.startsWith('--'))) {
      throw new UsageError(`${rawName} needs a value`);
    }
    return [flag, value];
  }
  const denied = name.startsWith('no-') ? byName.get(name.slice(3)) : undefined;
  if (denied?.kind === 'boolean' && value === undefined) return [denied, 'false'];
  const near = closest(name, [...byName.keys()]);
  throw new UsageError(`there is no option ${rawName}${near ? `; did you mean --${near}?` : ''}`);
}

function positionals(command: Command, words: readonly string[]): ReadonlyMap<string, string> {
  const surplus = words[command.positionals.length];
  if (surplus !== undefined) {
    const [flag] = command.flags.filter(({ required }) => required);
    const hint = flag ? '; values of options stand behind their names' : '';
    throw new UsageError(`there is one argument too many: ${surplus}${hint}`);
  }
  const given = new Map<string, string>();
  for (const [index, { name }] of command.positionals.entries()) {
    const word = words[index];
    if (word !== undefined) given.set(name, word);
  }
  return given;
}

function checkComplete(command: Command, given: Arguments): void {
  for (const { name, optional } of command.positionals) {
    if (!optional && !given.positional(name)) throw new UsageError(`<${name}> is missing`);
  }
  for (const { name, required } of command.flags) {
    if (required && !given.has(name)) throw new UsageError(`--${name} is missing`);
  }
  if (command.rest && !command.rest.optional && given.rest.length === 0) {
    throw new UsageError(`-- ${command.rest.name} is missing`);
  }
}
