import { join } from 'node:path';
import { replaceJson } from './files.mjs';

export const PROJECT = 'default';

/**
 * @typedef {object} Connection What others need to reach this stack: the shape of connection.json.
 * @property {string} gatewayUrl
 * @property {string} natsUrl
 * @property {string} project
 * @property {string} apiKey Has every scope in `project`.
 * @property {Record<string, { httpUrl: string, pid: number }>} services By service name, the
 *   second process of one as `<name>-2`; `httpUrl` is the management address (probes, metrics).
 */

/** @param {string} dataDir @returns {string} */
export function connectionPath(dataDir) {
  return join(dataDir, 'connection.json');
}

/**
 * @param {{ gatewayUrl: string, natsUrl: string, apiKey: string }} stack
 * @param {readonly { services: readonly string[], httpUrl: string, pid: number }[]} processes
 * @returns {Connection}
 */
export function describeConnection({ gatewayUrl, natsUrl, apiKey }, processes) {
  const services = processes.flatMap(({ services: names, httpUrl, pid }) =>
    names.map((name) => [name, { httpUrl, pid }]),
  );
  return { gatewayUrl, natsUrl, project: PROJECT, apiKey, services: Object.fromEntries(services) };
}

/** @param {string} dataDir @param {Connection} connection Written in one step, mode 0600. */
export async function writeConnection(dataDir, connection) {
  await replaceJson(connectionPath(dataDir), connection);
}
