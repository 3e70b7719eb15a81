import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { StackError } from './errors.mjs';

export const LOOPBACK = '127.0.0.1';

// Below the range that operating systems give to outgoing connections, so that a port which was
// chosen once is still free after a restart.
const CHOSEN_PORT_MIN = 20_000;
const CHOSEN_PORT_MAX = 32_000;
const CHOSEN_PORT_ATTEMPTS = 200;
const NEXT_PORT_ATTEMPTS = 100;
const PORT_MAX = 65_535;

/**
 * @param {number} port
 * @param {string} [host]
 * @returns {Promise<boolean>} Whether a server could listen there now.
 */
export function isPortFree(port, host = LOOPBACK) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * @param {ReadonlySet<number>} [taken] Ports that were promised to somebody else.
 * @returns {Promise<number>} A free port, chosen at random.
 */
export async function chooseFreePort(taken = new Set()) {
  for (let attempt = 0; attempt < CHOSEN_PORT_ATTEMPTS; attempt += 1) {
    const port = randomInt(CHOSEN_PORT_MIN, CHOSEN_PORT_MAX);
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new StackError(
    `no free port found on ${LOOPBACK} between ${CHOSEN_PORT_MIN} and ${CHOSEN_PORT_MAX}; ` +
      'stop some servers and start again',
  );
}

/**
 * The port that was used before if it is still free, so that clients find the same address.
 * @param {number | undefined} remembered
 * @param {ReadonlySet<number>} taken
 * @returns {Promise<number>}
 */
export async function keepOrChoosePort(remembered, taken) {
  if (remembered !== undefined && !taken.has(remembered) && (await isPortFree(remembered))) {
    return remembered;
  }
  return chooseFreePort(taken);
}

/**
 * @param {{ asked?: number | undefined, standard: number, taken: ReadonlySet<number> }} choice
 * @returns {Promise<number>} The asked port or a clear refusal; else the next free from `standard`.
 */
export async function chooseGatewayPort({ asked, standard, taken }) {
  if (asked !== undefined) {
    if (await isPortFree(asked)) return asked;
    throw new StackError(
      `port ${asked} is already in use; free it, ask for another with --port, ` +
        `or leave --port out to get the next free one from ${standard}`,
    );
  }
  const last = Math.min(standard + NEXT_PORT_ATTEMPTS, PORT_MAX);
  for (let port = standard; port <= last; port += 1) {
    if (!taken.has(port) && (await isPortFree(port))) return port;
  }
  throw new StackError(`ports ${standard} to ${last} are all in use; ask for one with --port`);
}
