import { join } from 'node:path';
import { readConnectionFile } from '@athena/sdk';
import type { Arguments } from '../command/arguments.js';
import { CommandError } from '../command/command.js';
import { type World, pathFrom } from '../world.js';
import { readContexts } from './contexts.js';

/** A platform, and how to be known there. */
export interface Target {
  readonly url: string;
  readonly apiKey: string;
  readonly natsUrl: string | undefined;
  readonly project: string;
  /** Where this was found, for people. */
  readonly source: string;
  /** The file that it was read from, if any. */
  readonly file?: string;
}

export const DATA_DIR_DEFAULT = '.athena';
const PROJECT_DEFAULT = 'default';

export const WAYS =
  'Start a local stack (npm start), or name one: --url and --api-key, ATHENA_URL and ' +
  'ATHENA_API_KEY, --context NAME (see athena context add), or --data-dir DIR.';

/**
 * What is said on the command line comes first, then the environment, then the context in use,
 * then the local stack. @throws CommandError that names the ways
 */
export async function findTarget(given: Arguments, world: World): Promise<Target> {
  const found = await placeOf(given, world);
  const natsUrl = given.text('nats-url') ?? found.natsUrl ?? (world.env['NATS_URL'] || undefined);
  return { ...found, natsUrl, project: given.text('project') ?? found.project };
}

async function placeOf(given: Arguments, world: World): Promise<Target> {
  const { env } = world;
  const url = given.text('url');
  if (url !== undefined) return direct(url, given, world, '--url');
  const context = given.text('context');
  if (context !== undefined) return fromContext(context, given, world);
  const folder = given.text('data-dir');
  if (folder !== undefined) return fromConnectionFile(folder, given, world);
  if (env['ATHENA_URL']) return direct(env['ATHENA_URL'], given, world, 'ATHENA_URL');
  const { current } = await readContexts(world);
  if (current !== null) return fromContext(current, given, world);
  return fromConnectionFile(env['ATHENA_DATA_DIR'] || DATA_DIR_DEFAULT, given, world);
}

function direct(url: string, given: Arguments, world: World, source: string): Target {
  const apiKey = given.text('api-key')?.trim() ?? world.env['ATHENA_API_KEY'];
  if (!apiKey) {
    throw new CommandError(
      `${source} is given, but no API key`,
      'Add --api-key, or ATHENA_API_KEY.',
    );
  }
  if (!/^https?:\/\/\S+$/.test(url)) {
    throw new CommandError(`${source} is no address: ${url}`, 'Write it as http://host:port.');
  }
  const project = world.env['ATHENA_PROJECT'] || PROJECT_DEFAULT;
  return { url, apiKey, natsUrl: undefined, project, source };
}

async function fromContext(name: string, given: Arguments, world: World): Promise<Target> {
  const { contexts, path } = await readContexts(world);
  const context = contexts[name];
  if (!context) {
    const known = Object.keys(contexts).join(', ') || 'none';
    throw new CommandError(`there is no context ${name}; known: ${known}`, WAYS);
  }
  const { url, natsUrl, project = PROJECT_DEFAULT } = context;
  const apiKey = given.text('api-key')?.trim() ?? context.apiKey;
  return { url, apiKey, natsUrl, project, source: `context ${name}`, file: path };
}

async function fromConnectionFile(folder: string, given: Arguments, world: World): Promise<Target> {
  const file = join(pathFrom(world, folder), 'connection.json');
  const connection = await readConnectionFile(file).catch((error: unknown) => {
    throw new CommandError((error as Error).message, WAYS);
  });
  const { gatewayUrl: url, natsUrl, project } = connection;
  const apiKey = given.text('api-key')?.trim() ?? connection.apiKey;
  return { url, apiKey, natsUrl, project, source: file, file };
}
