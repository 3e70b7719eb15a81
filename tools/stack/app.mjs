import { join } from 'node:path';
import { env, execPath } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

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
 * @typedef {object} AppSettings What all app processes read from their environment, together.
 * @property {string} natsUrl
 * @property {import('./nats.mjs').NatsCredentials} natsCredentials
 * @property {string} databaseUrl
 * @property {string} host
 * @property {number} httpPort The gateway's.
 * @property {string} bootstrapKey
 */
/** @typedef {import('./processes.mjs').AppProcess} AppProcess */
/** @typedef {import('./processes.mjs').Need} Need */

/**
 * What only some processes are given, so that the others hold no secret they have no use for.
 * @param {AppSettings} settings
 * @returns {Record<Need, NodeJS.ProcessEnv>}
 */
function environmentByNeed({ natsCredentials: nats, httpPort, bootstrapKey }) {
  return {
    system: {
      ATHENA_NATS_SYS_USER: nats.ATHENA_NATS_SYS_USER,
      ATHENA_NATS_SYS_PASSWORD: nats.ATHENA_NATS_SYS_PASSWORD,
    },
    callout: {
      ATHENA_NATS_CALLOUT_USER: nats.ATHENA_NATS_CALLOUT_USER,
      ATHENA_NATS_CALLOUT_PASSWORD: nats.ATHENA_NATS_CALLOUT_PASSWORD,
      ATHENA_NATS_CALLOUT_SEED: nats.ATHENA_NATS_CALLOUT_SEED,
    },
    public: { ATHENA_HTTP_PORT: String(httpPort), ATHENA_BOOTSTRAP_KEY: bootstrapKey },
  };
}

/**
 * @param {{ settings: AppSettings, needs: readonly Need[], managementPort: number }} app
 * @param {NodeJS.ProcessEnv} env Ours.
 * @returns {NodeJS.ProcessEnv}
 */
export function appEnvironment({ settings, needs, managementPort }, env) {
  const byNeed = environmentByNeed(settings);
  const bound = new Set(Object.values(byNeed).flatMap((given) => Object.keys(given)));
  // What npm told us about its own run is no business of a service.
  const own = Object.entries(env).filter(([name]) => !name.startsWith('npm_') && !bound.has(name));
  const { ATHENA_NATS_USER, ATHENA_NATS_PASSWORD } = settings.natsCredentials;
  return {
    ...Object.fromEntries(own),
    NATS_URL: settings.natsUrl,
    ATHENA_NATS_USER,
    ATHENA_NATS_PASSWORD,
    DATABASE_URL: settings.databaseUrl,
    ATHENA_HOST: settings.host,
    ATHENA_MANAGEMENT_PORT: String(managementPort),
    ATHENA_LOG_LEVEL: env['ATHENA_LOG_LEVEL'] || 'info',
    ...Object.assign({}, ...needs.map((need) => byNeed[need])),
  };
}

/**
 * @param {{ root: string, settings: AppSettings, process: AppProcess, managementPort: number }} app
 * @returns {import('./child.mjs').Command}
 */
export function appCommand({ root, settings, process: { app, needs }, managementPort }) {
  return {
    command: execPath,
    // Commands and events die young: with room for them, far fewer are copied to the old space.
    args: [
      '--enable-source-maps',
      '--max-semi-space-size=64',
      join(root, 'apps', app, 'dist/main.js'),
    ],
    env: appEnvironment({ settings, needs, managementPort }, env),
    cwd: root,
    stopSignal: 'SIGTERM',
    stopMs: STOP_MS_MAX,
  };
}
