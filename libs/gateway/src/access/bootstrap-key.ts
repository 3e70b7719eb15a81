import { sleep, type Timers } from '@athena/event-log';
import { Refused } from '@athena/operation';
import type { OperationCaller } from '@athena/service-kit';
import { bootstrap } from '../domain/access-operations.js';
import { DEFAULT_PROJECT, GATEWAY_ACTOR } from '../domain/access.js';
import { hashSecret, parseApiKey, type ApiKey } from '../domain/api-key.js';

const RETRY_MS = 1_000;

/** Reads the configured key. @throws Error telling what is wrong with it, without showing it */
export function parseBootstrapKey(text: string): ApiKey {
  const key = parseApiKey(text);
  if (key) return key;
  throw new Error(
    'ATHENA_BOOTSTRAP_KEY must read ak_<12 letters or digits>_<32 letters or digits>',
  );
}

/**
 * Makes project `default` and the configured key where they are not there yet; repeats until the
 * owner of the access partition has answered.
 * @returns `usable` is false where the key was revoked or stands with another secret; `seq` is the
 * position at which it stands. Null: it was stopped before.
 */
export async function ensureBootstrapKey(
  { keyId, secret }: ApiKey,
  surroundings: { caller: OperationCaller; timers: Timers; stopped: () => boolean },
): Promise<{ usable: boolean; seq: number } | null> {
  const { caller, timers, stopped } = surroundings;
  const input = { keyId, secretHash: hashSecret(secret) };
  const asked = { project: DEFAULT_PROJECT, actor: GATEWAY_ACTOR, id: `bootstrap-${keyId}` };
  while (!stopped()) {
    try {
      const { output, seq } = await caller.call(bootstrap, input, asked);
      return { usable: output.usable, seq };
    } catch (error) {
      if (!(error instanceof Refused) || !error.refusal.retryable) throw error;
      await sleep(timers, RETRY_MS);
    }
  }
  return null;
}
