import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

export interface Options {
  readonly connectionPath: string;
  readonly reportPath: string;
  /** The user's own documents; absent: those that come with the example. */
  readonly inputDir: string | undefined;
}

export const USAGE =
  'usage: node examples/research/dist/main.js --connection <connection.json> --report <file.md> ' +
  '[--input <folder of .md, .txt, .html, .json>]';

/** @throws Error with the usage */
export function readOptions(args: readonly string[]): Options {
  const { connection, report, input } = parsed(args);
  if (!connection || !report) throw new Error(USAGE);
  return {
    connectionPath: resolve(connection),
    reportPath: resolve(report),
    inputDir: input === undefined ? undefined : resolve(input),
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    const options = { connection: text, report: text, input: text };
    return parseArgs({ args: [...args], options, allowPositionals: false }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${USAGE}`, { cause: error });
  }
}
