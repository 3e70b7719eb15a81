import type { KeyRecord } from '@athena/contracts';
import {
  FORBIDDEN,
  Refused,
  UNAUTHENTICATED,
  UNAVAILABLE,
  type Actor,
  type Operation,
} from '@athena/operation';
import type { KeyCheck, KeyTable } from '../access/key-table.js';

const BEARER = /^bearer ([\x21-\x7e]{1,512})$/i;

const WHY_REFUSED: Readonly<Record<Extract<KeyCheck, { refused: string }>['refused'], string>> = {
  malformed: 'the API key is not valid',
  unknown: 'the API key is not valid',
  revoked: 'the API key was revoked',
  expired: 'the API key has expired',
  not_ready: 'the keys are still being read',
};

/**
 * The key that an Authorization header proves.
 * @throws Refused UNAUTHENTICATED, UNAVAILABLE
 */
export function authenticate(
  keys: Pick<KeyTable, 'check'>,
  authorization: string | undefined,
): KeyRecord {
  if (authorization === undefined) {
    throw Refused.because(UNAUTHENTICATED, 'the request has no Authorization header');
  }
  const [, text] = BEARER.exec(authorization) ?? [];
  if (text === undefined) {
    throw Refused.because(UNAUTHENTICATED, 'the Authorization header is not `Bearer <API key>`');
  }
  const check = keys.check(text);
  if ('key' in check) return check.key;
  const definition = check.refused === 'not_ready' ? UNAVAILABLE : UNAUTHENTICATED;
  throw Refused.because(definition, WHY_REFUSED[check.refused]);
}

/**
 * As whom a key calls an operation. A key that may only be an agent acts as one: it must present
 * leases, and agent ids belong to it.
 * @throws Refused FORBIDDEN, naming the missing scope
 */
export function actorFor({ keyId, scopes }: KeyRecord, operation: Operation): Actor {
  const { scope, agentsToo, name } = operation;
  if (scope !== undefined && scopes.includes(scope)) return `key:${keyId}`;
  if (agentsToo && scopes.includes('agent')) return `agent-key:${keyId}`;
  throw Refused.because(FORBIDDEN, `${name} needs an API key with scope ${scope ?? 'none'}`);
}
