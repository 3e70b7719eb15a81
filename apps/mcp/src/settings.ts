import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readConnectionFile } from '@athena/sdk';
import type { StdioOptions } from './serve-stdio.js';

const DATA_DIR = '.athena';
const CONNECTION_FILE = 'connection.json';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the gateway is: `--data-dir`'s connection.json, else ATHENA_URL with ATHENA_API_KEY, else
 * the stack that runs in this folder.
 * @throws Error that says what to give
 */
export async function readSettings(
  args: readonly string[],
  { ATHENA_URL: url, ATHENA_API_KEY: apiKey, ATHENA_DATA_DIR: folder }: Environment,
): Promise<StdioOptions> {
  const { values } = parseArgs({ args: [...args], options: { 'data-dir': { type: 'string' } } });
  const asked = values['data-dir'];
  if (asked === undefined && (url || apiKey)) {
    if (url && apiKey) return { url, apiKey };
    throw new Error(`${url ? 'ATHENA_API_KEY' : 'ATHENA_URL'} is not set; give both, or neither`);
  }
  const path = join(asked ?? folder ?? DATA_DIR, CONNECTION_FILE);
  const { gatewayUrl, apiKey: key } = await readConnectionFile(path);
  return { url: gatewayUrl, apiKey: key };
}
