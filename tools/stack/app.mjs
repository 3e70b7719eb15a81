import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The services that one standalone process hosts, as connection.json names them. */
export const SERVICE_NAMES = /** @type {const} */ ([
  'task-queue',
  'agent-registry',
  'router',
  'episodic-memory',
  'gateway',
]);

const READY_POLL_MS = 100;
const ANSWER_MS_MAX = 2_000;
const STOP_MS_MAX = 15_000;

/**
 * @param {string} url
 * @param {AbortSignal} signal
 * @returns {Promise<void>} Once the address answers 200.
 */
export async function httpReady(url, signal) {
  for (;;) {
    signal.throwIfAborted();
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) }).catch(
      () => null,
    );
    await answer?.body?.cancel();
    if (answer?.status === 200) return;
    await sleep(READY_POLL_MS);
  }
}

/**
 * @typedef {object} AppSettings Everything that an app process reads from its environment.
 * @property {string} natsUrl
 * @property {import('./nats.mjs').NatsCredentials} natsCredentials
 * @property {string} databaseUrl
 * @property {string} host
 * @property {number} httpPort The gateway's.
 * @property {number} managementPort
 * @property {string} bootstrapKey
 */

/**
 * @param {AppSettings} settings @param {NodeJS.ProcessEnv} env Ours. @returns {NodeJS.ProcessEnv}
 */
export function appEnvironment(settings, env) {
  // What npm told us about its own run is no business of a service.
  const own = Object.entries(env).filter(([name]) => !name.startsWith('npm_'));
  return {
    ...Object.fromEntries(own),
    ...settings.natsCredentials,
    NATS_URL: settings.natsUrl,
    DATABASE_URL: settings.databaseUrl,
    ATHENA_HOST: settings.host,
    ATHENA_HTTP_PORT: String(settings.httpPort),
    ATHENA_MANAGEMENT_PORT: String(settings.managementPort),
    ATHENA_BOOTSTRAP_KEY: settings.bootstrapKey,
    ATHENA_LOG_LEVEL: env['ATHENA_LOG_LEVEL'] || 'info',
  };
}

/**
 * @param {{ root: string, settings: AppSettings }} app
 * @returns {import('./child.mjs').Command}
 */
export function standaloneCommand({ root, settings }) {
  return {
    command: process.execPath,
    // Commands and events die young: with room for them, far fewer are copied to the old space.
    args: [
      '--enable-source-maps',
      '--max-semi-space-size=64',
      join(root, 'apps/standalone/dist/main.js'),
    ],
    env: appEnvironment(settings, process.env),
    cwd: root,
    stopSignal: 'SIGTERM',
    stopMs: STOP_MS_MAX,
  };
}
