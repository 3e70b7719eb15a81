import { spawn } from 'node:child_process';
import { chown, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StackError } from './errors.mjs';
import { LOOPBACK } from './ports.mjs';
import {
  ownedFolder,
  postgresAccount,
  postgresPlace,
  reachablePrograms,
} from './postgres-place.mjs';
import { endProcess, identify } from './process-identity.mjs';
import { parseVersion } from './versions.mjs';

export const POSTGRES_USER = 'athena';
export const POSTGRES_DATABASE = 'athena';

const CONNECTIONS_MAX = 60;
const STOP_MS_MAX = 15_000;
const ANSWER_MS_MAX = 2_000;
const READY_POLL_MS = 25;
const PROTOCOL_3_0 = 196_608;

/** @typedef {import('./postgres-place.mjs').Account} Account */
/**
 * @typedef {object} PreparedPostgres
 * @property {string} bin The folder of programs.
 * @property {string} clusterDir Postgres' own data folder.
 * @property {Account | null} account
 */

/** @param {{ port: number, password: string }} server @returns {string} */
export function postgresUrl({ port, password }) {
  return `postgres://${POSTGRES_USER}:${password}@${LOOPBACK}:${port}/${POSTGRES_DATABASE}`;
}

/**
 * Makes the database cluster, once, and ends a server that was left running on it.
 * @param {{ programs: import('./postgres-binary.mjs').PostgresPrograms, dataDir: string,
 *   password: string, report?: (line: string) => void }} wanted `dataDir` exists.
 * @returns {Promise<PreparedPostgres>}
 */
export async function preparePostgres({ programs, dataDir, password, report = () => {} }) {
  const account = await postgresAccount();
  const place = await postgresPlace(dataDir, account);
  const bin = await reachablePrograms({ programs, place, account });
  if (place !== (await realpath(dataDir))) {
    report(`no other account can reach ${dataDir}; Postgres' files are in ${place}`);
  }
  const folder = join(place, 'postgres');
  await ownedFolder(folder, account);
  const clusterDir = join(folder, 'cluster');
  const prepared = { bin, clusterDir, account };
  const clusterVersion = await readFile(join(clusterDir, 'PG_VERSION'), 'utf8').catch(() => null);
  if (clusterVersion === null) {
    report('creating the database');
    await createCluster(prepared, { folder, password });
  } else {
    requireSameMajor(clusterVersion, programs, clusterDir);
    await endLeftover(clusterDir);
  }
  return prepared;
}

/**
 * @param {string} clusterVersion
 * @param {import('./postgres-binary.mjs').PostgresPrograms} programs
 * @param {string} clusterDir
 */
function requireSameMajor(clusterVersion, programs, clusterDir) {
  const [made, found] = [parseVersion(clusterVersion), parseVersion(programs.version)];
  if (made?.[0] === found?.[0]) return;
  throw new StackError(
    `${clusterDir} was made by Postgres ${clusterVersion.trim()}, but the one found is ` +
      `${programs.version} (${programs.bin}). Put Postgres ${clusterVersion.trim()} on PATH, ` +
      'or use another --data-dir',
  );
}

/**
 * Made under another name first, so that an interrupted start leaves nothing half-made behind.
 * @param {PreparedPostgres} prepared
 * @param {{ folder: string, password: string }} settings
 */
async function createCluster({ bin, clusterDir, account }, { folder, password }) {
  const room = `${clusterDir}.new`;
  const passwordFile = join(folder, 'password.new');
  await rm(room, { recursive: true, force: true });
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (account !== null) await chown(passwordFile, account.uid, account.gid);
  const runAs = { account, cwd: folder };
  try {
    const initArgs = ['-D', room, '-U', POSTGRES_USER, '--auth=scram-sha-256', '-E', 'UTF8'];
    await runToEnd(
      { ...runAs, command: join(bin, 'initdb') },
      [...initArgs, '--locale=C', `--pwfile=${passwordFile}`],
      '',
    );
    await runToEnd(
      { ...runAs, command: join(bin, 'postgres') },
      ['--single', '-D', room, 'postgres'],
      `CREATE DATABASE ${POSTGRES_DATABASE}\n`,
    );
    await rename(room, clusterDir);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(room, { recursive: true, force: true });
  }
}

/**
 * @param {{ command: string, account: Account | null, cwd: string }} program
 * @param {readonly string[]} args
 * @param {string} input
 * @returns {Promise<void>}
 */
function runToEnd({ command, account, cwd }, args, input) {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
    const child = spawn(command, args, { cwd, env, stdio: 'pipe', ...(account ?? {}) });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (output = (output + chunk).slice(-2_000)));
    }
    child.once('error', (error) => reject(new Error(`${command} did not start: ${error.message}`)));
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new StackError(`${command} failed with status ${code}:\n${output.trim()}`));
    });
    child.stdin.on('error', () => {}); // It ended before it read everything; its status tells why.
    child.stdin.end(input);
  });
}

/**
 * After a kill -9 the old server may still run, or its lock file may name a pid that is now
 * somebody else's; Postgres would refuse to start in both cases.
 * @param {string} clusterDir
 */
async function endLeftover(clusterDir) {
  const lockFile = join(clusterDir, 'postmaster.pid');
  const text = await readFile(lockFile, 'utf8').catch(() => null);
  if (text === null) return;
  const leftover = await identify(Number(text.split('\n')[0]));
  if (leftover?.command.includes(clusterDir)) {
    await endProcess(leftover, { signal: 'SIGINT', graceMs: STOP_MS_MAX });
  } else {
    await rm(lockFile, { force: true });
  }
}

/**
 * @param {PreparedPostgres} prepared
 * @param {number} port
 * @returns {import('./child.mjs').Command}
 */
export function postgresCommand({ bin, clusterDir, account }, port) {
  const settings = {
    listen_addresses: LOOPBACK,
    port,
    unix_socket_directories: '',
    max_connections: CONNECTIONS_MAX,
    fsync: 'on',
    synchronous_commit: 'on',
    password_encryption: 'scram-sha-256',
    log_timezone: 'UTC',
    timezone: 'UTC',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return {
    command: join(bin, 'postgres'),
    args: ['-D', clusterDir, ...flags],
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    cwd: clusterDir,
    ...(account === null ? {} : { account }),
    stopSignal: 'SIGINT', // Postgres' fast shutdown: sessions end, everything is written.
    stopMs: STOP_MS_MAX,
  };
}

/**
 * Waits until the server asks a client of our database for its password.
 * @param {{ port: number, signal: AbortSignal }} server
 */
export async function untilPostgresReady({ port, signal }) {
  for (;;) {
    signal.throwIfAborted();
    if (await asksForPassword(LOOPBACK, port).catch(() => false)) return;
    await sleep(READY_POLL_MS);
  }
}

/**
 * Sends a startup message and looks at the first letter of the answer: R asks for a password, E
 * tells that the server is still starting.
 * @param {string} host
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export function asksForPassword(host, port) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => socket.write(startupMessage()));
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy(new Error('no answer')));
    socket.once('data', (answer) => {
      resolve(answer[0] === 'R'.charCodeAt(0));
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection was closed')));
  });
}

/** @returns {Buffer} As in the manual's chapter on the message formats of protocol 3.0. */
function startupMessage() {
  const pairs = ['user', POSTGRES_USER, 'database', POSTGRES_DATABASE, ''];
  const body = Buffer.from(`${pairs.join('\0')}\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(head.length + body.length, 0);
  head.writeInt32BE(PROTOCOL_3_0, 4);
  return Buffer.concat([head, body]);
}
