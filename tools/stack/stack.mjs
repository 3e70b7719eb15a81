import { mkdir } from 'node:fs/promises';
import { planApps } from './apps-plan.mjs';
import { describeConnection, writeConnection } from './connection.mjs';
import { GATEWAY_PORT_STANDARD } from './options.mjs';
import { chooseGatewayPort, LOOPBACK } from './ports.mjs';
import { appProcesses } from './processes.mjs';
import { loadSecrets } from './secrets.mjs';
import { keepPorts, planNats, planPostgres } from './servers-plan.mjs';
import { Supervisor } from './supervisor.mjs';

const DATA_DIR_MODE = 0o711; // Passable, because Postgres may run under another account.

/**
 * @typedef {object} StackParts
 * @property {string} root The checkout.
 * @property {string} dataDir
 * @property {number | undefined} port The gateway's, if one was asked for.
 * @property {boolean} separate A process per service in the place of one for all.
 * @property {NodeJS.ProcessEnv} env
 * @property {import('./run-record.mjs').RunRecord} record
 * @property {(line: string) => void} report
 * @property {AbortSignal} signal Gives it up.
 */

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
  const processes = appProcesses(parts.separate);
  const ports = await keepPorts(dataDir, {
    names: ['nats', 'postgres', ...processes.map(({ portName }) => portName)],
    reserved: parts.port,
    report,
  });
  const { nats: natsPort = 0, postgres: postgresPort = 0 } = ports;
  const httpPort = await chooseGatewayPort({
    asked: parts.port,
    standard: GATEWAY_PORT_STANDARD,
    taken: new Set(Object.values(ports)),
  });
  const setting = { dataDir, secrets, env, report, signal };
  const [nats, postgres] = await Promise.all([
    planNats({ ...setting, port: natsPort }),
    planPostgres({ ...setting, port: postgresPort }),
  ]);
  const settings = {
    natsUrl: nats.url,
    natsCredentials: nats.credentials,
    databaseUrl: postgres.url,
    host: LOOPBACK,
    httpPort,
    bootstrapKey: secrets.bootstrapKey,
  };
  // Stopped in reverse: what arrives last from NATS can still be written to Postgres.
  const servers = [postgres.service, nats.service].filter((service) => service !== null);
  const dependsOn = servers.map(({ name }) => name);
  const apps = await planApps({ root, dataDir, settings, processes, ports, dependsOn });
  const supervisor = new Supervisor({
    services: [...servers, ...apps.services],
    record,
    report,
    onPidChange: async (name) => (apps.has(name) ? republish() : undefined),
  });
  const gatewayUrl = `http://${LOOPBACK}:${httpPort}`;
  const stack = { gatewayUrl, natsUrl: nats.url, apiKey: secrets.bootstrapKey };
  const { publish, republish } = publisher(() =>
    writeConnection(dataDir, describeConnection(stack, apps.running(supervisor))),
  );
  return { supervisor, gatewayUrl, publish };
}

/**
 * One write at a time, so that the last one on the disk is the last one asked for.
 * @param {() => Promise<void>} write
 * @returns {{ publish: () => Promise<void>, republish: () => Promise<void> }} `republish` waits for
 *   the first `publish`: before it not every process has been started.
 */
function publisher(write) {
  /** @type {Promise<void> | null} */
  let written = null;
  const publish = () => (written = (written ?? Promise.resolve()).then(write, write));
  return { publish, republish: async () => (written === null ? undefined : publish()) };
}
