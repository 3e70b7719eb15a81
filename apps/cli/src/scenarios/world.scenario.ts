import type { Command } from '../command/command.js';
import type { Arguments } from '../command/arguments.js';
import { parseArguments } from '../command/parse.js';
import { run } from '../run.js';
import type { World } from '../world.js';

export interface ScriptedWorld extends World {
  readonly said: string[];
  readonly complained: string[];
}

export function worldWith(stdin = ''): ScriptedWorld {
  const [said, complained]: [string[], string[]] = [[], []];
  return {
    env: {},
    cwd: '/nowhere',
    said,
    complained,
    out: (text) => void said.push(text),
    err: (text) => void complained.push(text),
    columns: 100,
    redraw: null,
    readStdin: async () => stdin,
    onStop: () => () => {},
  };
}

export const parsed = (command: Command, argv: string[], stdin = ''): Promise<Arguments> =>
  parseArguments(command, argv, worldWith(stdin));

/** What `athena …` says, and its exit status. */
export async function saying(...argv: string[]): Promise<[number, string, string]> {
  const world = worldWith();
  const status = await run(argv, world);
  return [status, world.said.join('\n'), world.complained.join('\n')];
}
