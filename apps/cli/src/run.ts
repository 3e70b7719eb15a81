import { readFile } from 'node:fs/promises';
import { type Command, EXIT_FAILED, EXIT_OK, EXIT_USAGE, UsageError } from './command/command.js';
import { closest } from './command/closest.js';
import { everywhere, whereTo } from './command/global-flags.js';
import { commandHelp, overview } from './command/help.js';
import { parseArguments } from './command/parse.js';
import { allCommands } from './commands.js';
import { errorText } from './view/error-text.js';
import type { World } from './world.js';

/** Runs one command line and says everything there is to say. @returns the exit status */
export async function run(argv: readonly string[], world: World): Promise<number> {
  const commands = allCommands();
  try {
    if (argv[0] === '--version') return await version(world);
    return await dispatch(commands, argv, world);
  } catch (error) {
    world.err(errorText(error));
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
  }
}

async function dispatch(
  commands: readonly Command[],
  argv: readonly string[],
  world: World,
): Promise<number> {
  const helpAsked = argv[0] === 'help';
  const { words, others } = leadingWords(helpAsked ? argv.slice(1) : argv);
  const command = commands.find(({ path }) => path.every((word, index) => words[index] === word));
  if (!command) return explain(commands, words, helpAsked || asksHelp(argv), world);
  const rest = [...words.slice(command.path.length), ...others];
  const named = `athena ${command.path.join(' ')}`;
  try {
    const given = helpAsked ? null : await parseArguments(command, rest, world);
    if (given && !given.isOn('help')) return await command.run(given, world);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${named}: ${error.message}\n  See ${named} --help`);
  }
  world.out(commandHelp(command));
  return EXIT_OK;
}

const asksHelp = (argv: readonly string[]): boolean =>
  argv.length === 0 || argv.includes('--help') || argv.includes('-h');

/** The words that name the command; options of every command may stand before them. */
function leadingWords(argv: readonly string[]): { words: string[]; others: string[] } {
  const early: string[] = [];
  const left = [...argv];
  for (let next = left[0]; next?.startsWith('-') && next !== '--'; next = left[0]) {
    early.push(left.shift() as string);
    const flag = [...everywhere, ...whereTo].find(({ name }) => next === `--${name}`);
    if (flag && flag.kind !== 'boolean' && left.length > 0) early.push(left.shift() as string);
  }
  const end = left.findIndex((word) => word.startsWith('-'));
  const words = end === -1 ? left : left.slice(0, end);
  return { words, others: [...early, ...(end === -1 ? [] : left.slice(end))] };
}

function explain(
  commands: readonly Command[],
  words: readonly string[],
  helpAsked: boolean,
  world: World,
): number {
  const [noun, verb] = words;
  const group = noun === undefined ? commands : commands.filter(({ path }) => path[0] === noun);
  if (group.length === 0) {
    const near = closest(noun ?? '', [...new Set(commands.map(({ path }) => path[0] ?? ''))]);
    const hint = near ? `; did you mean athena ${near}?` : '';
    throw new UsageError(`there is no command athena ${noun}${hint}\n  See athena --help`);
  }
  if (noun !== undefined && verb !== undefined) {
    const near = closest(
      verb,
      group.map(({ path }) => path[1] ?? ''),
    );
    const hint = near ? `; did you mean athena ${noun} ${near}?` : '';
    throw new UsageError(`there is no command athena ${noun} ${verb}${hint}\n  See athena ${noun}`);
  }
  const text = overview(group, noun === undefined ? [] : [noun]);
  if (helpAsked) world.out(text);
  else world.err(text);
  return helpAsked ? EXIT_OK : EXIT_USAGE;
}

async function version(world: World): Promise<number> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  world.out((JSON.parse(text) as { version: string }).version);
  return EXIT_OK;
}
