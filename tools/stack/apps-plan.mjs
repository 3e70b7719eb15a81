import { join } from 'node:path';
import { appCommand, httpReady } from './app.mjs';
import { LogFile } from './log-file.mjs';
import { LOOPBACK } from './ports.mjs';

const APP_READY_MS_MAX = 120_000;

/** @typedef {import('./supervisor.mjs').Service} Service */
/**
 * @typedef {object} AppsSetting
 * @property {string} root The checkout.
 * @property {string} dataDir
 * @property {import('./app.mjs').AppSettings} settings
 * @property {readonly import('./processes.mjs').AppProcess[]} processes
 * @property {Readonly<Record<string, number>>} ports By the names that the processes give them.
 * @property {readonly string[]} dependsOn Servers that have to be ready before.
 */
/** @typedef {{ services: readonly string[], httpUrl: string, pid: number }} RunningApp */

/**
 * @param {AppsSetting} setting
 * @returns {Promise<{ services: Service[], has: (name: string) => boolean,
 *   running: (supervisor: { pidOf: (name: string) => number }) => RunningApp[] }>}
 *   `running` throws before all of them have been started.
 */
export async function planApps(setting) {
  const { processes, ports } = setting;
  const apps = processes.map((process) => {
    const managementPort = /** @type {number} */ (ports[process.portName]);
    return { process, managementPort, httpUrl: `http://${LOOPBACK}:${managementPort}` };
  });
  return {
    services: await Promise.all(apps.map((app) => planApp(setting, app))),
    has: (name) => processes.some((process) => process.name === name),
    running: (supervisor) =>
      apps.map(({ process: { name, services }, httpUrl }) => {
        return { services, httpUrl, pid: supervisor.pidOf(name) };
      }),
  };
}

/**
 * @param {AppsSetting} setting
 * @param {{ process: import('./processes.mjs').AppProcess, managementPort: number,
 *   httpUrl: string }} app
 * @returns {Promise<Service>}
 */
async function planApp(
  { root, dataDir, settings, dependsOn },
  { process, managementPort, httpUrl },
) {
  const { name } = process;
  return {
    name,
    dependsOn,
    command: async () => appCommand({ root, settings, process, managementPort }),
    ready: (signal) => httpReady(`${httpUrl}/healthz/ready`, signal),
    readyMsMax: APP_READY_MS_MAX,
    log: await LogFile.open(join(dataDir, 'logs', `${name}.log`)),
  };
}
