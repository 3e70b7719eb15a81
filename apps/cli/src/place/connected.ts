import { AthenaClient } from '@athena/sdk';
import type { Arguments } from '../command/arguments.js';
import type { World } from '../world.js';
import { findTarget } from './target.js';

/** Does something with a client of the platform that the command line names. */
export async function connected<T>(
  given: Arguments,
  world: World,
  work: (client: AthenaClient) => Promise<T>,
): Promise<T> {
  const { url, apiKey } = await findTarget(given, world);
  const client = await AthenaClient.connect({ url, apiKey });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
