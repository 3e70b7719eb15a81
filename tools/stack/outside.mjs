import { reasonOf, StackError } from './errors.mjs';
import { greetNats, natsCredentials } from './nats.mjs';
import { NATS_VERSION_MIN } from './nats-binary.mjs';
import { asksForPassword } from './postgres.mjs';
import { formatVersion, isAtLeast, parseVersion } from './versions.mjs';

const NATS_PORT_STANDARD = 4222;
const POSTGRES_PORT_STANDARD = 5432;

/** @typedef {import('./nats.mjs').NatsCredentials} NatsCredentials */

const CREDENTIAL_NAMES = /** @type {(keyof NatsCredentials)[]} */ (
  Object.keys(natsCredentials(/** @type {any} */ ({})))
);

/**
 * A NATS that runs elsewhere: its credentials come from our environment.
 * @param {NodeJS.ProcessEnv} env
 * @returns {NatsCredentials}
 * @throws {StackError} Naming every missing variable.
 */
export function outsideNatsCredentials(env) {
  const missing = CREDENTIAL_NAMES.filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new StackError(
      `NATS_URL is set, so the credentials of that server are needed too. Missing: ` +
        `${missing.join(', ')}. See tools/stack/README.md for what they are, or unset NATS_URL ` +
        'to have a nats-server started here',
    );
  }
  const pairs = CREDENTIAL_NAMES.map((name) => [name, env[name]]);
  return /** @type {NatsCredentials} */ (Object.fromEntries(pairs));
}

/**
 * Looks whether the server is there, new enough, has JetStream, and knows the three users.
 * @param {string} url One address or several with commas between; the first is looked at.
 * @param {NatsCredentials} credentials
 */
export async function checkOutsideNats(url, credentials) {
  const { host, port } = addressOf('NATS_URL', url.split(',')[0] ?? '', NATS_PORT_STANDARD);
  const users = [
    [credentials.ATHENA_NATS_USER, credentials.ATHENA_NATS_PASSWORD],
    [credentials.ATHENA_NATS_SYS_USER, credentials.ATHENA_NATS_SYS_PASSWORD],
    [credentials.ATHENA_NATS_CALLOUT_USER, credentials.ATHENA_NATS_CALLOUT_PASSWORD],
  ];
  for (const [user = '', password = ''] of users) {
    const greeting = await greetNats({ host, port, user, password }).catch((error) => {
      throw new StackError(`NATS_URL: ${host}:${port} cannot be reached: ${reasonOf(error)}`);
    });
    const version = parseVersion(greeting.version);
    if (version === null || !isAtLeast(version, NATS_VERSION_MIN)) {
      const minimum = formatVersion(NATS_VERSION_MIN);
      throw new StackError(`NATS_URL: the server is ${greeting.version}, not ${minimum} or newer`);
    }
    if (!greeting.jetstream) throw new StackError('NATS_URL: the server has no JetStream');
    if (greeting.login === 'refused') {
      throw new StackError(`NATS_URL: the server refused user ${user} with the password given`);
    }
  }
}

/** @param {string} url Looks whether a Postgres answers there. */
export async function checkOutsidePostgres(url) {
  const { host, port } = addressOf('DATABASE_URL', url, POSTGRES_PORT_STANDARD);
  await asksForPassword(host, port).catch((error) => {
    throw new StackError(`DATABASE_URL: ${host}:${port} cannot be reached: ${reasonOf(error)}`);
  });
}

/** @param {string} name @param {string} url @param {number} standardPort */
function addressOf(name, url, standardPort) {
  try {
    const { hostname, port } = new URL(url.includes('://') ? url : `nats://${url}`);
    if (hostname === '') throw new Error('no host');
    return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port) || standardPort };
  } catch {
    throw new StackError(`${name} is no address; expected something like scheme://host:port`);
  }
}
