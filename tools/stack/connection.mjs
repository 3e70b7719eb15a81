import { join } from 'node:path';
import { SERVICE_NAMES } from './app.mjs';
import { replaceJson } from './files.mjs';

export const PROJECT = 'default';

/**
 * @typedef {object} Connection What others need to reach this stack: the shape of connection.json.
 * @property {string} gatewayUrl
 * @property {string} natsUrl
 * @property {string} project
 * @property {string} apiKey Has every scope in `project`.
 * @property {Record<string, { httpUrl: string, pid: number }>} services By service name; `httpUrl`
 *   is the management address (probes, metrics).
 */

/** @param {string} dataDir @returns {string} */
export function connectionPath(dataDir) {
  return join(dataDir, 'connection.json');
}

/**
 * @param {{ gatewayUrl: string, natsUrl: string, apiKey: string, managementUrl: string,
 *   pid: number }} stack
 * @returns {Connection} With one process behind every service.
 */
export function describeConnection({ gatewayUrl, natsUrl, apiKey, managementUrl, pid }) {
  const services = SERVICE_NAMES.map((name) => [name, { httpUrl: managementUrl, pid }]);
  return { gatewayUrl, natsUrl, project: PROJECT, apiKey, services: Object.fromEntries(services) };
}

/** @param {string} dataDir @param {Connection} connection Written in one step, mode 0600. */
export async function writeConnection(dataDir, connection) {
  await replaceJson(connectionPath(dataDir), connection);
}
