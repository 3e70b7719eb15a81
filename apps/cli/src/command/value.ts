import { readFile, stat } from 'node:fs/promises';
import { SOURCE_BYTES_MAX, type World, pathFrom } from '../world.js';
import type { FlagValue } from './arguments.js';
import { type Flag, UsageError } from './command.js';
import { parseDuration } from './duration.js';

/** What a flag's texts say. @throws UsageError */
export async function flagValue(
  flag: Flag,
  raw: readonly string[],
  world: World,
): Promise<FlagValue> {
  if (flag.kind === 'list') return raw.flatMap(listItems);
  const [text = '', second] = raw;
  if (second !== undefined && flag.kind !== 'boolean') {
    throw new UsageError(`--${flag.name} was given twice`);
  }
  switch (flag.kind) {
    case 'boolean':
      return booleanOf(flag, raw.at(-1) ?? 'true');
    case 'number':
      return numberOf(flag, text);
    case 'duration':
      return durationOf(flag, text);
    case 'text':
      return sourceText(flag, text, world);
    case 'json':
      return jsonOf(flag, await sourceText(flag, text, world));
    case 'jsonOrText': {
      const said = await sourceText(flag, text, world);
      return said.trimStart().startsWith('{') ? jsonOf(flag, said) : said;
    }
    default:
      return flag.kind satisfies never;
  }
}

const listItems = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');

function booleanOf({ name }: Flag, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new UsageError(`--${name} is on or off: write --${name} or --no-${name}`);
}

function numberOf({ name }: Flag, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) {
    throw new UsageError(`--${name} needs a number, not “${text}”`);
  }
  return number;
}

function durationOf({ name }: Flag, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`--${name} needs a time such as 500ms, 30s or 5m`);
  return ms;
}

function jsonOf({ name }: Flag, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const quoted = /^[\w .-]+$/.test(text) ? `; a text is written '"${text}"'` : '';
    throw new UsageError(`--${name} is no JSON: ${(error as Error).message}${quoted}`);
  }
}

const stdinReaders = new WeakMap<World, string>();

/** The text itself, of `@file` the file's, of `-` that of stdin; `@@x` is the text `@x`. */
async function sourceText({ name }: Flag, text: string, world: World): Promise<string> {
  if (text === '-') {
    const other = stdinReaders.get(world);
    if (other) throw new UsageError(`--${other} and --${name} can’t both read stdin`);
    stdinReaders.set(world, name);
    return world.readStdin();
  }
  if (text.startsWith('@@')) return text.slice(1);
  return text.startsWith('@') ? fileText(name, pathFrom(world, text.slice(1))) : text;
}

async function fileText(name: string, path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size <= SOURCE_BYTES_MAX) return await readFile(path, 'utf8');
  } catch (error) {
    throw new UsageError(`--${name}: ${path} can’t be read: ${(error as Error).message}`);
  }
  throw new UsageError(`--${name}: ${path} has more than ${SOURCE_BYTES_MAX} bytes`);
}
