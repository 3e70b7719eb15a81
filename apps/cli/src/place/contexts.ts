import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CommandError } from '../command/command.js';
import { type World, configFolder } from '../world.js';

const context = z.object({
  url: z.string().regex(/^https?:\/\/\S+$/, 'write it as http://host:port'),
  apiKey: z.string().min(1),
  natsUrl: z.string().min(1).optional(),
  project: z.string().min(1).optional(),
});
export type Context = z.output<typeof context>;

const contextsFile = z.object({
  /** The one that is used where nothing else is said. */
  current: z.string().nullable(),
  contexts: z.record(z.string(), context),
});

/** Platforms by name, as they are kept for next time. */
export interface Contexts {
  readonly current: string | null;
  readonly contexts: Readonly<Record<string, Context>>;
  readonly path: string;
}

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export const contextsPath = (world: World): string => join(configFolder(world), 'contexts.json');

/** None where there is no file yet. @throws CommandError where it can't be understood */
export async function readContexts(world: World): Promise<Contexts> {
  const path = contextsPath(world);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return { current: null, contexts: {}, path };
    }
    throw new CommandError(`${path} can’t be read: ${(error as Error).message}`);
  }
  const read = contextsFile.safeParse(parsed(text));
  if (read.success) return { ...read.data, path };
  throw new CommandError(`${path} is no file of contexts`, 'Repair or remove it.');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Replaces the file in one step; only its owner may read it, for it holds keys. */
export async function writeContexts({ current, contexts, path }: Contexts): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true, mode: FOLDER_MODE });
  const written = `${path}.${randomUUID()}`;
  const text = `${JSON.stringify({ current, contexts }, null, 2)}\n`;
  await writeFile(written, text, { mode: FILE_MODE, flag: 'wx' });
  await rename(written, path);
}

/** @throws CommandError that says what is wrong */
export function checkedContext(value: unknown): Context {
  const checked = context.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new CommandError(`the context’s ${issue?.path.join('.')}: ${issue?.message}`);
}
