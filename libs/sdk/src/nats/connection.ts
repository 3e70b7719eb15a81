import { type Msg, type NatsConnection, connect, errors } from '@nats-io/transport-node';
import { sleep } from '../abort.js';
import { type AthenaError, clientError } from '../errors.js';
import {
  CONNECT_ATTEMPT_MS_MAX,
  CONNECT_BUDGET_MS,
  CONNECT_REFUSED_MS_MAX,
  NATS_PING_MS,
  NATS_PINGS_OUT_MAX,
  RECONNECT_LATER_MS,
  RECONNECT_SOON_FOR_MS,
  RECONNECT_SOON_MS,
} from '../limits.js';
import { systemTime } from '../time.js';

/** What requests travel on: the part of a NATS connection that the SDK uses. */
export interface Connection extends Pick<NatsConnection, 'publish' | 'status' | 'close'> {
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: Msg) => void },
  ): unknown;
}

export interface NatsOptions {
  readonly natsUrl: string | readonly string[];
  /** `<project>.<agentId>` or `<project>.app.<name>`; it is also the end of the inbox prefix. */
  readonly user: string;
  readonly apiKey: string;
  readonly signal?: AbortSignal | undefined;
}

/** Replies to a user go to subjects that begin with this, and the user may listen to no others. */
export const inboxPrefix = (user: string): string => `_INBOX.${user}`;

/**
 * Connects, trying for CONNECT_BUDGET_MS; after that first success the client reconnects forever.
 * @throws AthenaError UNAUTHENTICATED at once if the server refuses the credentials, else
 * CONNECTION_LOST
 */
export async function openConnection(options: NatsOptions): Promise<NatsConnection> {
  const end = performance.now() + CONNECT_BUDGET_MS;
  for (;;) {
    options.signal?.throwIfAborted();
    const begunAt = performance.now();
    try {
      return await connectOnce(options);
    } catch (error) {
      const explained = explain(error, options, performance.now() - begunAt);
      if (!explained.retryable || performance.now() + RECONNECT_LATER_MS >= end) throw explained;
      await sleep(systemTime, RECONNECT_LATER_MS, options.signal);
    }
  }
}

function connectOnce({ natsUrl, user, apiKey }: NatsOptions): Promise<NatsConnection> {
  return connect({
    servers: typeof natsUrl === 'string' ? natsUrl : [...natsUrl],
    name: user,
    user,
    pass: apiKey,
    inboxPrefix: inboxPrefix(user),
    noAsyncTraces: true,
    timeout: CONNECT_ATTEMPT_MS_MAX,
    pingInterval: NATS_PING_MS,
    maxPingOut: NATS_PINGS_OUT_MAX,
    maxReconnectAttempts: -1,
    // While the gateway restarts nobody vouches for us and the server refuses: keep trying.
    ignoreAuthErrorAbort: true,
    reconnectDelayHandler: reconnectDelays(),
  });
}

/** Quick tries for a few seconds, then slower ones; jitter keeps a fleet from coming at once. */
function reconnectDelays(): () => number {
  let lastAskedAt = 0;
  let lostAt = 0;
  return () => {
    const now = performance.now();
    // The client asks steadily while it has no connection, and not at all while it has one.
    if (now - lastAskedAt > RECONNECT_SOON_FOR_MS) lostAt = now;
    lastAskedAt = now;
    const pause = now - lostAt < RECONNECT_SOON_FOR_MS ? RECONNECT_SOON_MS : RECONNECT_LATER_MS;
    return pause * (1 + Math.random());
  };
}

function explain(error: unknown, options: NatsOptions, afterMs: number): AthenaError {
  const { natsUrl, user } = options;
  const refused = error instanceof errors.AuthorizationError;
  if (refused && afterMs < CONNECT_REFUSED_MS_MAX && !/timeout/i.test(error.message)) {
    return clientError(
      'UNAUTHENTICATED',
      `NATS refused ${user}: the API key is wrong, revoked or lacks the scope, or the name ` +
        `belongs to another key (${error.message})`,
      { cause: error },
    );
  }
  const said = error instanceof Error ? error.message : String(error);
  const detail = refused
    ? `NATS at ${String(natsUrl)} lets nobody in now: the gateway, which checks keys, is away`
    : `NATS at ${String(natsUrl)} can’t be reached: ${said}`;
  return clientError('CONNECTION_LOST', detail, { retryable: true, cause: error });
}
