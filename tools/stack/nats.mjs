import { connect } from 'node:net';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { accountPublicKey } from './nkeys.mjs';
import { LOOPBACK } from './ports.mjs';

const CONFIG = fileURLToPath(new URL('../../docker/nats/nats-server.conf', import.meta.url));
const STOP_MS_MAX = 10_000;
const ANSWER_MS_MAX = 2_000;
const READY_POLL_MS = 20;
const INFO_BYTES_MAX = 64 * 1024;

/** @typedef {import('./secrets.mjs').Secrets} Secrets */
/**
 * @typedef {object} NatsCredentials What the app processes get, by environment variable.
 * @property {string} ATHENA_NATS_USER
 * @property {string} ATHENA_NATS_PASSWORD
 * @property {string} ATHENA_NATS_SYS_USER
 * @property {string} ATHENA_NATS_SYS_PASSWORD
 * @property {string} ATHENA_NATS_CALLOUT_USER
 * @property {string} ATHENA_NATS_CALLOUT_PASSWORD
 * @property {string} ATHENA_NATS_CALLOUT_SEED
 */

/** @param {Secrets} secrets @returns {NatsCredentials} */
export function natsCredentials(secrets) {
  return {
    ATHENA_NATS_USER: 'core',
    ATHENA_NATS_PASSWORD: secrets.natsPassword,
    ATHENA_NATS_SYS_USER: 'sys',
    ATHENA_NATS_SYS_PASSWORD: secrets.natsSysPassword,
    ATHENA_NATS_CALLOUT_USER: 'callout',
    ATHENA_NATS_CALLOUT_PASSWORD: secrets.natsCalloutPassword,
    ATHENA_NATS_CALLOUT_SEED: secrets.natsCalloutSeed,
  };
}

/** @param {number} port @returns {string} */
export function natsUrl(port) {
  return `nats://${LOOPBACK}:${port}`;
}

/**
 * @param {{ program: string, port: number, storeDir: string, secrets: Secrets }} server
 * @returns {Promise<import('./child.mjs').Command>}
 */
export async function natsCommand({ program, port, storeDir, secrets }) {
  await mkdir(storeDir, { recursive: true, mode: 0o700 });
  return {
    command: program,
    args: ['-c', CONFIG, '-a', LOOPBACK, '-p', String(port), '-sd', storeDir],
    env: {
      PATH: process.env['PATH'],
      ATHENA_NATS_PASSWORD: secrets.natsPassword,
      ATHENA_NATS_SYS_PASSWORD: secrets.natsSysPassword,
      ATHENA_NATS_CALLOUT_PASSWORD: secrets.natsCalloutPassword,
      ATHENA_NATS_CALLOUT_ISSUER: accountPublicKey(secrets.natsCalloutSeed),
    },
    stopSignal: 'SIGTERM',
    stopMs: STOP_MS_MAX,
  };
}

/** @param {string} dataDir @returns {string} Where the log's stream is kept. */
export function natsStoreDir(dataDir) {
  return join(dataDir, 'nats');
}

/**
 * @typedef {object} NatsGreeting
 * @property {string} version
 * @property {boolean} jetstream
 * @property {boolean} tlsRequired
 * @property {'accepted' | 'refused' | 'not tried'} login
 */

/**
 * Connects the way a client does: waits for INFO and, unless TLS is asked for, logs in.
 * @param {{ host: string, port: number, user: string, password: string }} server
 * @returns {Promise<NatsGreeting>}
 */
export function greetNats({ host, port, user, password }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let text = '';
    /** @type {NatsGreeting | null} */
    let greeting = null;
    /** @param {() => void} settle */
    const end = (settle) => {
      socket.destroy();
      settle();
    };
    socket.setTimeout(ANSWER_MS_MAX, () => end(() => reject(new Error('no answer'))));
    socket.once('error', (error) => end(() => reject(error)));
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      if (text.length > INFO_BYTES_MAX) end(() => reject(new Error('not a NATS server')));
      if (greeting === null) {
        greeting = parseInfo(text);
        if (greeting === null) return;
        const known = greeting;
        if (known.tlsRequired) return end(() => resolve(known));
        socket.write(`CONNECT ${JSON.stringify({ user, pass: password, verbose: false })}\r\n`);
        socket.write('PING\r\n');
      }
      const known = greeting;
      if (text.includes('\r\nPONG')) end(() => resolve({ ...known, login: 'accepted' }));
      else if (text.includes('\r\n-ERR')) end(() => resolve({ ...known, login: 'refused' }));
    });
  });
}

/** @param {string} text @returns {NatsGreeting | null} Null until the INFO line is whole. */
function parseInfo(text) {
  const match = /^INFO (\{.*\})\s*\r\n/.exec(text);
  if (!match?.[1]) return null;
  const info = JSON.parse(match[1]);
  return {
    version: String(info.version),
    jetstream: info.jetstream === true,
    tlsRequired: info.tls_required === true,
    login: 'not tried',
  };
}

/**
 * Waits until the server takes user `core`'s connection with JetStream on.
 * @param {{ port: number, secrets: Secrets, signal: AbortSignal }} server
 */
export async function untilNatsReady({ port, secrets, signal }) {
  const login = { host: LOOPBACK, port, user: 'core', password: secrets.natsPassword };
  for (;;) {
    signal.throwIfAborted();
    const greeting = await greetNats(login).catch(() => null);
    if (greeting?.login === 'accepted' && greeting.jetstream) return;
    if (greeting?.login === 'refused') {
      throw new Error(`the server on port ${port} refused the password of user core`);
    }
    await sleep(READY_POLL_MS);
  }
}
