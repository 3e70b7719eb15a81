import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { httpReady, standaloneCommand } from './app.mjs';
import { describeConnection, writeConnection } from './connection.mjs';
import { LogFile } from './log-file.mjs';
import { GATEWAY_PORT_STANDARD } from './options.mjs';
import { chooseGatewayPort, LOOPBACK } from './ports.mjs';
import { loadSecrets } from './secrets.mjs';
import { keepPorts, planNats, planPostgres } from './servers-plan.mjs';
import { Supervisor } from './supervisor.mjs';

const APP_NAME = 'standalone';
const APP_READY_MS_MAX = 120_000;
const DATA_DIR_MODE = 0o711; // Passable, because Postgres may run under another account.

/** @typedef {import('./supervisor.mjs').Service} Service */
/**
 * @typedef {object} StackParts
 * @property {string} root The checkout.
 * @property {string} dataDir
 * @property {number | undefined} port The gateway's, if one was asked for.
 * @property {NodeJS.ProcessEnv} env
 * @property {import('./run-record.mjs').RunRecord} record
 * @property {(line: string) => void} report
 * @property {AbortSignal} signal Gives it up.
 * @property {(app: AppPlan) => import('./child.mjs').Command} [appCommand] Another program in the
 *   place of the standalone app.
 */
/** @typedef {{ root: string, settings: import('./app.mjs').AppSettings }} AppPlan */

/** @param {string} dataDir */
export async function makeDataDir(dataDir) {
  await mkdir(dataDir, { recursive: true, mode: DATA_DIR_MODE });
}

/**
 * Plans everything that has to run, and says how to reach it; starts nothing yet.
 * @param {StackParts} parts
 * @returns {Promise<{ supervisor: Supervisor, gatewayUrl: string, publish: () => Promise<void> }>}
 *   `publish` writes connection.json; it is called again for every new pid.
 */
export async function planStack(parts) {
  const { root, dataDir, env, record, report, signal } = parts;
  const secrets = await loadSecrets(dataDir);
  const ports = await keepPorts(dataDir, { reserved: parts.port, report });
  const httpPort = await chooseGatewayPort({
    asked: parts.port,
    standard: GATEWAY_PORT_STANDARD,
    taken: new Set(Object.values(ports)),
  });
  const setting = { dataDir, secrets, env, report, signal };
  const [nats, postgres] = await Promise.all([
    planNats({ ...setting, port: ports.nats }),
    planPostgres({ ...setting, port: ports.postgres }),
  ]);
  const settings = {
    natsUrl: nats.url,
    natsCredentials: nats.credentials,
    databaseUrl: postgres.url,
    host: LOOPBACK,
    httpPort,
    managementPort: ports.management,
    bootstrapKey: secrets.bootstrapKey,
  };
  // Stopped in reverse: what arrives last from NATS can still be written to Postgres.
  const servers = [postgres.service, nats.service].filter((service) => service !== null);
  const gatewayUrl = `http://${LOOPBACK}:${httpPort}`;
  const managementUrl = `http://${LOOPBACK}:${ports.management}`;
  /** @type {Service} */
  const app = {
    name: APP_NAME,
    dependsOn: servers.map(({ name }) => name),
    command: async () => (parts.appCommand ?? standaloneCommand)({ root, settings }),
    ready: (signal) => httpReady(`${managementUrl}/healthz/ready`, signal),
    readyMsMax: APP_READY_MS_MAX,
    log: await LogFile.open(join(dataDir, 'logs', `${APP_NAME}.log`)),
  };
  /** @returns {Promise<void>} */
  const publish = () => {
    const { url: natsUrl } = nats;
    const pid = supervisor.pidOf(APP_NAME);
    const stack = { gatewayUrl, natsUrl, apiKey: secrets.bootstrapKey, managementUrl, pid };
    return writeConnection(dataDir, describeConnection(stack));
  };
  const supervisor = new Supervisor({
    services: [...servers, app],
    record,
    report,
    onPidChange: async (name) => (name === APP_NAME ? publish() : undefined),
  });
  return { supervisor, gatewayUrl, publish };
}
