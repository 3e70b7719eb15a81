import { join } from 'node:path';
import { readJson, replaceJson } from './files.mjs';
import { LogFile } from './log-file.mjs';
import { findNatsServer } from './nats-binary.mjs';
import { natsCommand, natsCredentials, natsStoreDir, natsUrl, untilNatsReady } from './nats.mjs';
import { checkOutsideNats, checkOutsidePostgres, outsideNatsCredentials } from './outside.mjs';
import { keepOrChoosePort } from './ports.mjs';
import { findPostgres } from './postgres-binary.mjs';
import { postgresCommand, postgresUrl, preparePostgres, untilPostgresReady } from './postgres.mjs';

const NATS_READY_MS_MAX = 60_000;
const POSTGRES_READY_MS_MAX = 120_000; // After a crash it replays its log first.

/** @typedef {import('./supervisor.mjs').Service} Service */
/**
 * @typedef {object} Setting What the plans of all servers share.
 * @property {string} dataDir
 * @property {import('./secrets.mjs').Secrets} secrets
 * @property {NodeJS.ProcessEnv} env
 * @property {(line: string) => void} report
 * @property {AbortSignal} signal Gives up what takes long.
 */

/**
 * The ports of one data folder: chosen once, kept while they are free, so that agents and tools
 * find a restarted stack where it was.
 * @param {string} dataDir
 * @template {string} Name
 * @param {{ names: readonly Name[], reserved: number | undefined,
 *   report: (line: string) => void }} options `names`: what runs now; what else the folder
 *   remembers stays as it is. `reserved`: the gateway's port, if one was asked for.
 * @returns {Promise<Record<Name, number>>}
 */
export async function keepPorts(dataDir, { names, reserved, report }) {
  const path = join(dataDir, 'ports.json');
  /** @type {Record<string, number>} */
  const remembered = (await readJson(path)) ?? {};
  const resting = Object.entries(remembered).filter(([name]) => !names.some((n) => n === name));
  const taken = new Set(resting.map(([, port]) => port));
  if (reserved !== undefined) taken.add(reserved);
  const ports = /** @type {Record<Name, number>} */ ({});
  for (const name of names) {
    const before = remembered[name];
    ports[name] = await keepOrChoosePort(before, taken);
    taken.add(ports[name]);
    if (before !== undefined && before !== ports[name]) {
      report(`port ${before} of ${name} is in use by somebody else; it moves to ${ports[name]}`);
    }
  }
  await replaceJson(path, { ...Object.fromEntries(resting), ...ports });
  return ports;
}

/**
 * @param {Setting & { port: number }} setting
 * @returns {Promise<{ url: string, credentials: import('./nats.mjs').NatsCredentials,
 *   service: Service | null }>} Without a service when it runs elsewhere.
 */
export async function planNats({ dataDir, secrets, env, report, signal, port }) {
  const outside = env['NATS_URL'];
  if (outside) {
    const credentials = outsideNatsCredentials(env);
    await checkOutsideNats(outside, credentials);
    report('using the NATS server of NATS_URL');
    return { url: outside, credentials, service: null };
  }
  const search = { fallbackCacheDir: join(dataDir, 'cache'), report, env, signal };
  const program = await findNatsServer(search);
  report(`nats-server ${program.version} (${program.source}) on port ${port}`);
  const server = { program: program.path, port, storeDir: natsStoreDir(dataDir), secrets };
  const service = {
    name: 'nats-server',
    dependsOn: [],
    command: () => natsCommand(server),
    ready: (/** @type {AbortSignal} */ signal) => untilNatsReady({ port, secrets, signal }),
    readyMsMax: NATS_READY_MS_MAX,
    log: await LogFile.open(join(dataDir, 'logs', 'nats-server.log')),
  };
  return { url: natsUrl(port), credentials: natsCredentials(secrets), service };
}

/**
 * @param {Setting & { port: number }} setting
 * @returns {Promise<{ url: string, service: Service | null }>} As for NATS.
 */
export async function planPostgres({ dataDir, secrets, env, report, signal, port }) {
  const outside = env['DATABASE_URL'];
  if (outside) {
    await checkOutsidePostgres(outside);
    report('using the Postgres of DATABASE_URL');
    return { url: outside, service: null };
  }
  const search = { fallbackCacheDir: join(dataDir, 'cache'), report, env, signal };
  const programs = await findPostgres(search);
  report(`Postgres ${programs.version} (${programs.source}) on port ${port}`);
  const password = secrets.postgresPassword;
  const prepare = () => preparePostgres({ programs, dataDir, password, report });
  await prepare();
  const service = {
    name: 'postgres',
    dependsOn: [],
    // Prepared anew, because a killed server leaves a lock file behind.
    command: async () => postgresCommand(await prepare(), port),
    ready: (/** @type {AbortSignal} */ signal) => untilPostgresReady({ port, signal }),
    readyMsMax: POSTGRES_READY_MS_MAX,
    log: await LogFile.open(join(dataDir, 'logs', 'postgres.log')),
  };
  return { url: postgresUrl({ port, password }), service };
}
