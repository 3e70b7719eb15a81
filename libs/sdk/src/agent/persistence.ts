import { sleep } from '../abort.js';
import { AthenaError } from '../errors.js';
import { AGENT_PAUSE_MS_MAX, FAULTS_MAX } from '../limits.js';
import type { RequestChannel } from '../nats/request-channel.js';
import { systemSurroundings } from '../surroundings.js';
import type { DropReason } from './notices.js';
import { attemptTimeoutMs, isPassing, isTimeout, retryDelayMs } from '../retry.js';

/** The platform's words that the attempt is not (any more) the caller's. */
const LOST: ReadonlyMap<string, DropReason> = new Map([
  ['TASK_CANCELLED', 'cancelled'],
  ['STALE_LEASE', 'lease_lost'],
  ['ILLEGAL_TRANSITION', 'lease_lost'],
  ['TASK_NOT_FOUND', 'lease_lost'],
]);

/** Why the attempt is not the caller's any more; null: the error says nothing of that. */
export const whyLost = (error: unknown): DropReason | null =>
  error instanceof AthenaError ? (LOST.get(error.code) ?? null) : null;

/** Troubles inside the platform that say little about the request: tried again a few times. */
const isFault = (error: unknown): boolean =>
  error instanceof AthenaError && (error.code === 'INTERNAL' || error.code === 'INVALID_ANSWER');

export interface Persisting {
  readonly channel: Pick<RequestChannel, 'connected' | 'whenConnected'> &
    Partial<Pick<RequestChannel, 'surroundings'>>;
  readonly signal: AbortSignal;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Repeats a harmless request until the platform answers it, however long that takes, and at once
 * after a lost connection is back.
 * @throws AthenaError of a refusal, or the signal's reason
 */
export async function persist<T>(
  { channel, signal, onTrouble }: Persisting,
  ask: (timeoutMs: number) => Promise<T>,
): Promise<T> {
  const { time, random } = channel.surroundings ?? systemSurroundings;
  let faults = 0;
  let timeouts = 0;
  for (let attempt = 0; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await ask(attemptTimeoutMs(timeouts, true));
    } catch (error) {
      if (isFault(error)) faults += 1;
      timeouts = isTimeout(error) ? timeouts + 1 : 0;
      const mayPass = isPassing(error) || (isFault(error) && faults < FAULTS_MAX);
      if (signal.aborted || !mayPass) throw error;
      onTrouble(error);
      if (!channel.connected) await channel.whenConnected(signal);
      else await sleep(time, Math.min(AGENT_PAUSE_MS_MAX, retryDelayMs(attempt, random())), signal);
    }
  }
}
