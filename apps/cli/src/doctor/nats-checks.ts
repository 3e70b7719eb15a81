import { type NatsConnection, connect, errors } from '@nats-io/transport-node';
import type { Target } from '../place/target.js';
import { type Finding, fail, ok, reasonOf, warn } from './finding.js';
import { CHECK_MS_MAX, keyIdOf } from './gateway-checks.js';
import { isAtLeast } from './versions.js';

export const NATS_MIN = [2, 12, 0];

interface Login {
  readonly servers: string;
  readonly user: string;
  readonly pass: string;
}

/** One try, without coming back. */
const open = ({ servers, user, pass }: Login): Promise<NatsConnection> =>
  connect({
    servers: servers.split(',').map((server) => server.trim()),
    user,
    pass,
    name: 'athena-doctor',
    inboxPrefix: `_INBOX.${user}`,
    noAsyncTraces: true,
    timeout: CHECK_MS_MAX,
    reconnect: false,
  });

/**
 * Connects as an agent would. The agent's id is made of the key's, because an id belongs for good
 * to the key that used it first.
 */
export async function checkAgentLogin({ natsUrl, project, apiKey }: Target): Promise<Finding> {
  if (natsUrl === undefined) {
    const remedy = 'Add --nats-url to look at the door of the agents too.';
    return warn('nats', 'not checked: its address is not known', remedy);
  }
  const user = `${project}.doctor-${keyIdOf(apiKey) || 'key'}`;
  try {
    const connection = await open({ servers: natsUrl, user, pass: apiKey });
    const version = connection.info?.version ?? '';
    await connection.close();
    return ok('nats', `${natsUrl} (${version}) lets this key in as an agent of ${project}`);
  } catch (error) {
    if (error instanceof errors.AuthorizationError) {
      const remedy = /timeout/i.test(error.message)
        ? 'Nobody vouched in time: is the gateway running and connected to this NATS?'
        : 'Agents need a key with the scope agent (or every scope), of this project.';
      return fail('nats', `${natsUrl} refuses this key as an agent: ${error.message}`, remedy);
    }
    return fail('nats', `${natsUrl} can’t be reached: ${reasonOf(error)}`, 'Is it running there?');
  }
}

type Env = Readonly<Record<string, string | undefined>>;

/** The accounts that a NATS for Athena has, with the variables of the logins to them. */
const LOGINS = [
  { account: 'CORE', user: 'ATHENA_NATS_USER', password: 'ATHENA_NATS_PASSWORD' },
  { account: 'SYS', user: 'ATHENA_NATS_SYS_USER', password: 'ATHENA_NATS_SYS_PASSWORD' },
  { account: 'AUTH', user: 'ATHENA_NATS_CALLOUT_USER', password: 'ATHENA_NATS_CALLOUT_PASSWORD' },
] as const;
const SETUP = 'See “What a NATS that runs elsewhere must have” in tools/stack/README.md.';

/** Whether the environment names a NATS that services are to be started with. */
export const namesOutsideNats = (env: Env): boolean =>
  Boolean(env['NATS_URL']) && LOGINS.some(({ user, password }) => env[user] ?? env[password]);

/** What services need of a NATS that runs elsewhere. */
export async function checkOutsideNats(env: Env): Promise<Finding[]> {
  const names = [...LOGINS.flatMap(({ user, password }) => [user, password])];
  const missing = [...names, 'ATHENA_NATS_CALLOUT_SEED'].filter((name) => !env[name]);
  if (missing.length > 0) {
    return [fail('outside nats', `not set: ${missing.join(', ')}`, `Set all of them. ${SETUP}`)];
  }
  const findings: Finding[] = [];
  for (const login of LOGINS) findings.push(...(await checkLogin(env, login)));
  return findings;
}

async function checkLogin(env: Env, login: (typeof LOGINS)[number]): Promise<Finding[]> {
  const [user, pass] = [env[login.user] ?? '', env[login.password] ?? ''];
  const check = `outside nats ${login.account}`;
  let connection: NatsConnection;
  try {
    connection = await open({ servers: env['NATS_URL'] ?? '', user, pass });
  } catch (error) {
    return [fail(check, `no login as ${user}: ${reasonOf(error)}`, SETUP)];
  }
  try {
    const account = await accountOf(connection);
    const wrong = account !== undefined && account !== login.account;
    const finding = wrong
      ? fail(
          check,
          `user ${user} is in account ${account}`,
          `It belongs to ${login.account}. ${SETUP}`,
        )
      : ok(check, `user ${user} is let in`);
    return [finding, ...(login.account === 'CORE' ? await checkServer(connection) : [])];
  } finally {
    await connection.close();
  }
}

/** The server tells every user who it is; undefined where it doesn't. */
async function accountOf(connection: NatsConnection): Promise<string | undefined> {
  try {
    const answer = await connection.request('$SYS.REQ.USER.INFO', '', { timeout: CHECK_MS_MAX });
    return answer.json<{ data?: { account?: string } }>().data?.account;
  } catch {
    return undefined;
  }
}

async function checkServer(connection: NatsConnection): Promise<Finding[]> {
  const { version = '', jetstream, max_payload: payload = 0 } = connection.info ?? {};
  const least = NATS_MIN.slice(0, 2).join('.');
  return [
    isAtLeast(version, NATS_MIN)
      ? ok('outside nats version', version)
      : fail('outside nats version', `${version} is too old`, `Install ${least} or newer.`),
    jetstream && (await hasJetStream(connection))
      ? ok('outside nats jetstream', 'on, for CORE')
      : fail('outside nats jetstream', 'off for CORE', `Turn it on. ${SETUP}`),
    payload >= PAYLOAD_MIN
      ? ok('outside nats max_payload', `${payload} bytes`)
      : fail('outside nats max_payload', `${payload} bytes`, `Set it to ${PAYLOAD_MIN} or more.`),
  ];
}

/** Large commits and batches travel as one message. */
const PAYLOAD_MIN = 2 * 1024 ** 2;

const hasJetStream = (connection: NatsConnection): Promise<boolean> =>
  connection
    .request('$JS.API.INFO', '', { timeout: CHECK_MS_MAX })
    .then((answer) => answer.json<{ error?: unknown }>().error === undefined)
    .catch(() => false);
