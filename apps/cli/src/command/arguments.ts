import type { Command } from './command.js';

export type FlagValue = unknown;

/** What was given to a command, by the names of its declaration. */
export class Arguments {
  readonly command: Command;
  readonly #flags: ReadonlyMap<string, FlagValue>;
  readonly #positionals: ReadonlyMap<string, string>;
  /** What stands behind `--`. */
  readonly rest: readonly string[];

  constructor(
    command: Command,
    flags: ReadonlyMap<string, FlagValue>,
    positionals: ReadonlyMap<string, string>,
    rest: readonly string[],
  ) {
    this.command = command;
    this.#flags = flags;
    this.#positionals = positionals;
    this.rest = rest;
  }

  has(flag: string): boolean {
    return this.#flags.has(flag);
  }
  value(flag: string): FlagValue {
    return this.#flags.get(flag);
  }
  text(flag: string): string | undefined {
    return this.#flags.get(flag) as string | undefined;
  }
  number(flag: string): number | undefined {
    return this.#flags.get(flag) as number | undefined;
  }
  list(flag: string): readonly string[] {
    return (this.#flags.get(flag) as readonly string[] | undefined) ?? [];
  }
  isOn(flag: string): boolean {
    return this.#flags.get(flag) === true;
  }
  positional(name: string): string | undefined {
    return this.#positionals.get(name);
  }
}
