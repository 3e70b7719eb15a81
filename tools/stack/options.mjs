import { join, resolve } from 'node:path';
import { StackError } from './errors.mjs';

export const GATEWAY_PORT_STANDARD = 8080;
const PORT_MAX = 65_535;
const USAGE_STATUS = 2;

/**
 * @typedef {object} StackOptions
 * @property {boolean} once Stop after the example.
 * @property {boolean} example False: never run it.
 * @property {string | undefined} inputDir The documents that the example works on.
 * @property {number | undefined} port The gateway's, if one was asked for.
 * @property {string} dataDir
 * @property {boolean} separate A process per service in the place of one for all.
 */

/** @type {Readonly<Record<string, 'flag' | 'value'>>} */
const KINDS = {
  '--help': 'flag',
  '-h': 'flag',
  '--once': 'flag',
  '--no-example': 'flag',
  '--input': 'value',
  '--port': 'value',
  '--data-dir': 'value',
  '--separate': 'flag',
};

export const USAGE = `Usage: npm start -- [options]

Starts Athena on this machine: installs and builds what is missing, finds or obtains nats-server
and Postgres, starts everything on loopback ports, and runs the example on the first start.
Ctrl-C stops all of it.

  --once           run the example, then stop; status 0 when it completed
  --no-example     don't run the example on the first start
  --input DIR      run the example on the documents in DIR
  --port N         port of the gateway (default ${GATEWAY_PORT_STANDARD}, or the next free one)
  --data-dir DIR   where data, logs and connection.json are kept (default .athena)
  --separate       each service in processes of its own: two of task-queue, agent-registry and
                   router, so that one takes over when the other dies; one of the others
  --help           show this text

Environment: ATHENA_PORT, ATHENA_DATA_DIR, ATHENA_LOG_LEVEL, NATS_SERVER_BIN (a program),
NATS_URL and DATABASE_URL (servers that run elsewhere; see tools/stack/README.md).`;

/**
 * @param {readonly string[]} args
 * @param {{ env: NodeJS.ProcessEnv, cwd: string, root: string }} place `cwd`: what relative paths
 *   are relative to; `root`: the checkout.
 * @returns {StackOptions | 'help'}
 * @throws {StackError} With status 2 and the usage.
 */
export function parseOptions(args, { env, cwd, root }) {
  const given = collect(args);
  if (given.has('--help') || given.has('-h')) return 'help';
  refuseContradictions(given);
  const inputDir = given.get('--input');
  const port = given.get('--port');
  const dataDir = given.get('--data-dir') ?? env['ATHENA_DATA_DIR'];
  return {
    once: given.has('--once'),
    example: !given.has('--no-example'),
    inputDir: inputDir === undefined ? undefined : resolve(cwd, inputDir),
    port:
      port === undefined ? portFrom(env['ATHENA_PORT'], 'ATHENA_PORT') : portFrom(port, '--port'),
    dataDir: dataDir ? resolve(cwd, dataDir) : join(root, '.athena'),
    separate: given.has('--separate'),
  };
}

/**
 * @param {readonly string[]} args @returns {Map<string, string>} Values by option; '' for flags.
 */
function collect(args) {
  const given = new Map();
  for (let index = 0; index < args.length; index += 1) {
    const [name = '', ...rest] = (args[index] ?? '').split('=');
    const kind = KINDS[name];
    if (kind === undefined) throw usageError(`unknown option ${args[index]}`);
    if (given.has(name)) throw usageError(`${name} is given twice`);
    if (kind === 'flag') {
      if (rest.length > 0) throw usageError(`${name} takes no value`);
      given.set(name, '');
      continue;
    }
    const value = rest.length > 0 ? rest.join('=') : args[(index += 1)];
    if (!value || value.startsWith('--')) throw usageError(`${name} needs a value`);
    given.set(name, value);
  }
  return given;
}

/** @param {ReadonlyMap<string, string>} given */
function refuseContradictions(given) {
  for (const other of ['--once', '--input']) {
    if (given.has('--no-example') && given.has(other)) {
      throw usageError(
        `--no-example and ${other} contradict each other: ${other} runs the example`,
      );
    }
  }
}

/** @param {string | undefined} text @param {string} name @returns {number | undefined} */
function portFrom(text, name) {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= PORT_MAX) return port;
  throw usageError(`${name} needs a number from 1 to ${PORT_MAX}, not ${text}`);
}

/** @param {string} problem @returns {StackError} */
function usageError(problem) {
  return new StackError(`${problem}\n\n${USAGE}`, { status: USAGE_STATUS });
}
