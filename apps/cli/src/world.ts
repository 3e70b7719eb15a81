import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** What a command has of the process that it runs in; tests give their own. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Whole lines, without the last newline. */
  out(text: string): void;
  err(text: string): void;
  /** Characters that a line of the terminal holds; infinite where the output goes elsewhere. */
  readonly columns: number;
  /** Draws the last line of the terminal anew, '' wipes it; null where there is no terminal. */
  readonly redraw: ((text: string) => void) | null;
  readStdin(): Promise<string>;
  /** Calls back at each Ctrl-C or SIGTERM. Returns how to stop listening. */
  onStop(stop: () => void): () => void;
}

const COLUMNS_MIN = 60;
/** More than this from stdin or a file is no input of any operation. */
export const SOURCE_BYTES_MAX = 16 * 1024 ** 2;

export function processWorld(process: NodeJS.Process): World {
  // Readers such as `head` close their end early; that is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    throw error;
  });
  return {
    env: process.env,
    cwd: process.cwd(),
    out: (text) => void process.stdout.write(`${text}\n`),
    err: (text) => void process.stderr.write(`${text}\n`),
    columns: process.stdout.isTTY ? Math.max(COLUMNS_MIN, process.stdout.columns) : Infinity,
    redraw: process.stderr.isTTY ? (text) => redraw(process.stderr, text) : null,
    readStdin: () => readAll(process.stdin),
    onStop: (stop) => {
      process.on('SIGINT', stop);
      process.on('SIGTERM', stop);
      return () => {
        process.off('SIGINT', stop);
        process.off('SIGTERM', stop);
      };
    },
  };
}

const WIPE_LINE = '\r\u001b[2K';

const redraw = (stream: NodeJS.WriteStream, text: string): void =>
  void stream.write(WIPE_LINE + text.slice(0, Math.max(COLUMNS_MIN, stream.columns) - 1));

async function readAll(stream: NodeJS.ReadStream): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > SOURCE_BYTES_MAX) throw new Error(`stdin has more than ${SOURCE_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** `$XDG_CONFIG_HOME/athena`, by default `~/.config/athena`. */
export const configFolder = ({ env }: World): string =>
  join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'athena');

export const pathFrom = (world: World, path: string): string => resolve(world.cwd, path);
