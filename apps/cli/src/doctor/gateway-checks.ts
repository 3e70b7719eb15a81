import { findAgents, listKeys, routingStats, scope, systemHealth } from '@athena/contracts';
import type { Operation } from '@athena/operation';
import { AthenaClient, AthenaError } from '@athena/sdk';
import { formatDuration } from '../command/duration.js';
import type { Target } from '../place/target.js';
import { type Finding, fail, ok, reasonOf, warn } from './finding.js';

export const CHECK_MS_MAX = 5_000;
/** Below this, a difference of clocks disturbs nobody; the Date header has whole seconds. */
const CLOCK_MS_OK = 2_000;
const CLOCK_MS_MAX = 30_000;

interface Health {
  readonly status: number;
  readonly services: Readonly<Record<string, { readonly status: string }>>;
  /** Theirs minus ours, where the gateway told its time. */
  readonly clockMs: number | null;
}

/** Gateway, services, key and clock, as far as each makes the next worth asking. */
export async function checkGateway(target: Target): Promise<Finding[]> {
  let health: Health;
  try {
    health = await askHealth(target);
  } catch (error) {
    const remedy = 'Start it (npm start), or correct the address.';
    return [fail('gateway', `${target.url} can’t be reached: ${reasonOf(error)}`, remedy)];
  }
  const clock = health.clockMs === null ? [] : [checkClock(health.clockMs)];
  if (health.status === 401) {
    const remedy = 'Make a new key with athena key create, or take the one in connection.json.';
    const refused = fail(
      'key',
      'the gateway refuses the API key (wrong, revoked or expired)',
      remedy,
    );
    return [ok('gateway', `${target.url} answers`), refused, ...clock];
  }
  return [gatewayFinding(target, health), ...(await checkKey(target)), ...clock];
}

async function askHealth({ url, apiKey }: Target): Promise<Health> {
  const began = Date.now();
  const answer = await fetch(`${url.replace(/\/+$/, '')}${systemHealth.http?.path}`, {
    headers: { authorization: `Bearer ${apiKey}` },
    redirect: 'error',
    signal: AbortSignal.timeout(CHECK_MS_MAX),
  });
  const body = systemHealth.output.safeParse(await answer.json().catch(() => null));
  const theirs = Date.parse(answer.headers.get('date') ?? '');
  const ours = (began + Date.now()) / 2;
  return {
    status: answer.status,
    services: body.data?.services ?? {},
    clockMs: Number.isNaN(theirs) ? null : theirs + 500 - ours,
  };
}

function gatewayFinding({ url }: Target, { status, services }: Health): Finding {
  const down = Object.entries(services).filter(([, service]) => service.status !== 'ok');
  if (down.length > 0) {
    const names = down.map(([name]) => name).join(', ');
    return fail('gateway', `${url} answers, but down: ${names}`, 'See the logs of these services.');
  }
  if (status === 200) return ok('gateway', `${url} answers, every service too`);
  if (status === 403) return ok('gateway', `${url} answers`);
  return fail('gateway', `${url} answers with status ${status}`, 'Is this a gateway of Athena?');
}

/** With admin the key’s own record is read; without it, readings show what it may do. */
async function checkKey(target: Target): Promise<Finding[]> {
  const client = await AthenaClient.connect({ url: target.url, apiKey: target.apiKey });
  try {
    const listed = await client.keys.list({}, { timeoutMs: CHECK_MS_MAX });
    const keyId = keyIdOf(target.apiKey);
    const own = listed.keys.find((key) => key.keyId === keyId);
    return [own ? scopesFinding(own.scopes) : ok('key', 'valid, with scope admin')];
  } catch (error) {
    if (!(error instanceof AthenaError)) throw error;
    if (error.code === 'FORBIDDEN') return [await readingsFinding(client)];
    return [fail('key', error.message, 'See the catalogue of errors in docs/reference/errors.md.')];
  } finally {
    await client.close();
  }
}

export const keyIdOf = (apiKey: string): string => apiKey.split('_')[1] ?? '';

function scopesFinding(scopes: readonly string[]): Finding {
  const missing = scope.options.filter((name) => !scopes.includes(name));
  const without = missing.length === 0 ? 'every scope' : scopes.join(', ');
  return ok('key', `valid, with ${without}`);
}

async function readingsFinding(client: AthenaClient): Promise<Finding> {
  const readings: readonly Operation[] = [systemHealth, findAgents, routingStats, listKeys];
  const allowed = await Promise.all(
    readings.map(async (operation) => {
      const refused = await client
        .call(operation, {}, { timeoutMs: CHECK_MS_MAX })
        .then(() => null)
        .catch((error: unknown) => error);
      return refused instanceof AthenaError && refused.code === 'FORBIDDEN'
        ? []
        : [operation.scope];
    }),
  );
  const scopes = allowed.flat();
  if (scopes.length === 0) {
    return warn('key', 'valid, but it may read nothing', 'That is enough for an agent only.');
  }
  return ok('key', `valid; it may read by ${scopes.join(', ')}, and is no admin`);
}

export function checkClock(differenceMs: number): Finding {
  const size = Math.abs(differenceMs);
  const side = differenceMs > 0 ? 'behind' : 'ahead of';
  const said = `this clock is ${formatDuration(size)} ${side} the gateway’s`;
  if (size <= CLOCK_MS_OK) return ok('clock', 'agrees with the gateway’s');
  const remedy = 'Synchronise both machines’ clocks (NTP).';
  return size <= CLOCK_MS_MAX ? warn('clock', said, remedy) : fail('clock', said, remedy);
}
