import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { launch } from './child.mjs';
import { readTextOrNull } from './files.mjs';
import { findNatsServer } from './nats-binary.mjs';
import { natsCommand, natsCredentials, natsStoreDir, natsUrl, untilNatsReady } from './nats.mjs';
import { accountPublicKey } from './nkeys.mjs';
import { chooseFreePort, LOOPBACK } from './ports.mjs';
import { findPostgres } from './postgres-binary.mjs';
import {
  POSTGRES_DATABASE,
  POSTGRES_USER,
  postgresCommand,
  postgresUrl,
  preparePostgres,
  untilPostgresReady,
} from './postgres.mjs';
import { untilReady } from './readiness.mjs';
import { loadSecrets } from './secrets.mjs';

// Single servers for tests: the same programs, configuration and preparation as the stack's.
// Their types are in servers.d.mts.

const READY_MS_MAX = 30_000;
const START_ATTEMPTS = 3;
const LOG_TAIL_CHARACTERS = 1_500;

/** @type {typeof import('./servers.d.mts').startNats} */
export async function startNats({ dir, port } = {}) {
  const place = await openPlace(dir);
  const [secrets, found] = await Promise.all([
    loadSecrets(place.dir),
    findNatsServer({ fallbackCacheDir: join(place.dir, 'cache') }),
  ]);
  const server = await startOnPort(place, {
    name: 'nats-server',
    port,
    command: (chosen) =>
      natsCommand({
        program: found.path,
        port: chosen,
        storeDir: natsStoreDir(place.dir),
        secrets,
      }),
    ready: (chosen, signal) => untilNatsReady({ port: chosen, secrets, signal }),
  });
  const credentials = natsCredentials(secrets);
  return {
    ...server,
    url: natsUrl(server.port),
    core: { user: 'core', password: secrets.natsPassword },
    sys: { user: 'sys', password: secrets.natsSysPassword },
    callout: { user: 'callout', password: secrets.natsCalloutPassword },
    calloutSeed: secrets.natsCalloutSeed,
    calloutIssuer: accountPublicKey(secrets.natsCalloutSeed),
    env: { NATS_URL: natsUrl(server.port), ...credentials },
  };
}

/** @type {typeof import('./servers.d.mts').startPostgres} */
export async function startPostgres({ dir, port } = {}) {
  const place = await openPlace(dir);
  const [{ postgresPassword: password }, programs] = await Promise.all([
    loadSecrets(place.dir),
    findPostgres({ fallbackCacheDir: join(place.dir, 'cache') }),
  ]);
  const prepared = await preparePostgres({ programs, dataDir: place.dir, password });
  const server = await startOnPort(place, {
    name: 'postgres',
    port,
    command: async (chosen) => postgresCommand(prepared, chosen),
    ready: (chosen, signal) => untilPostgresReady({ port: chosen, signal }),
  });
  const url = postgresUrl({ port: server.port, password });
  return {
    ...server,
    url,
    host: LOOPBACK,
    user: POSTGRES_USER,
    password,
    database: POSTGRES_DATABASE,
    env: { DATABASE_URL: url },
  };
}

/**
 * @param {string | undefined} dir
 * @returns {Promise<{ dir: string, close: () => Promise<void> }>} A folder of our own is removed.
 */
async function openPlace(dir) {
  if (dir !== undefined) {
    await mkdir(dir, { recursive: true });
    return { dir: resolve(dir), close: async () => {} };
  }
  const own = await mkdtemp(join(tmpdir(), 'athena-server-'));
  return { dir: own, close: () => rm(own, { recursive: true, force: true }) };
}

/**
 * @typedef {object} Server
 * @property {string} name
 * @property {number | undefined} port
 * @property {(port: number) => Promise<import('./child.mjs').Command>} command
 * @property {(port: number, signal: AbortSignal) => Promise<void>} ready
 */

/**
 * A port that was not asked for may be taken between the choice and the start: then again.
 * @param {{ dir: string, close: () => Promise<void> }} place
 * @param {Server} server
 */
async function startOnPort(place, server) {
  for (let attempt = 1; ; attempt += 1) {
    const port = server.port ?? (await chooseFreePort());
    const logPath = join(place.dir, `${server.name}.log`);
    const log = await open(logPath, 'a');
    const child = await launch(await server.command(port), { output: log.fd });
    await log.close();
    try {
      const ready = (/** @type {AbortSignal} */ signal) => server.ready(port, signal);
      await untilReady(child, { ready, msMax: READY_MS_MAX });
      const { pid, kill, exited } = child;
      const stop = async () => {
        await child.stop();
        await place.close();
      };
      return { port, pid, stop, kill: async () => void (await kill()), exited };
    } catch (error) {
      await child.kill();
      if (attempt < START_ATTEMPTS && server.port === undefined) continue;
      // A temporary folder goes with the server, but only once its log was read.
      const tail = ((await readTextOrNull(logPath)) ?? '').slice(-LOG_TAIL_CHARACTERS);
      await place.close();
      throw new Error(
        `${server.name} did not start on port ${port}. The end of its log:\n${tail}`,
        {
          cause: error,
        },
      );
    }
  }
}
