import type { World } from '../world.js';
import type { Arguments } from './arguments.js';

/**
 * How a flag's text becomes a value. `json`: any JSON text · `jsonOrText`: an object if it looks
 * like one, else the text itself · `list`: repeated or with commas · `duration`: `500ms`, `30s`,
 * `5m`, as milliseconds. `json`, `jsonOrText` and `text` take `@file` and `-` (stdin).
 */
export type FlagKind = 'text' | 'number' | 'boolean' | 'list' | 'json' | 'jsonOrText' | 'duration';

export interface Flag {
  /** In kebab-case, without dashes. */
  readonly name: string;
  /** Another name that is understood too. */
  readonly alias?: string;
  readonly kind: FlagKind;
  /** What stands for the value in the help. */
  readonly value?: string;
  /** Said in the help: limits, defaults, meaning. */
  readonly summary: string;
  readonly required?: boolean;
  /** For completion. */
  readonly choices?: readonly string[];
}

export interface Positional {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
}

export interface Command {
  /** `['task', 'create']` */
  readonly path: readonly string[];
  readonly summary: string;
  readonly positionals: readonly Positional[];
  readonly flags: readonly Flag[];
  /** What stands behind `--`, where the command takes it. */
  readonly rest?: Positional;
  /** Paragraphs at the end of the help. */
  readonly notes?: readonly string[];
  /** The exit status. @throws UsageError, AthenaError */
  run(given: Arguments, world: World): Promise<number>;
}

/** The command line is wrong: exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What was asked can't be done; says what to do about it. Exit status 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
export const EXIT_INTERRUPTED = 130;
