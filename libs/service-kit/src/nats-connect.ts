import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { untilDone } from './backoff.js';
import type { Config } from './config.js';

const RECONNECT_MS = 250;
/** A broker that says nothing for two of these counts as gone. */
const PING_MS = 10_000;

/**
 * Connects to account CORE, waiting for a server that is not there yet, and reconnects for ever
 * once it is. `purpose` tells apart the connections of one process.
 */
export async function connectNats(
  { nats }: Config,
  logger: Logger,
  name: string,
  purpose: string,
): Promise<NatsConnection> {
  const options = {
    servers: [...nats.servers],
    user: nats.core.user,
    pass: nats.core.password,
    name: `athena ${name} (${purpose})`,
    noAsyncTraces: true,
    maxReconnectAttempts: -1,
    ignoreAuthErrorAbort: true,
    reconnectTimeWait: RECONNECT_MS,
    pingInterval: PING_MS,
  };
  const where = nats.servers.map(withoutPassword).join(', ');
  const connection = await untilDone(() => connect(options), {
    onFailure: ({ message }, retryInMs) =>
      logger.warn(
        { nats: where, reason: message, retryInMs },
        `waiting for NATS: ${hint(message)}`,
      ),
  });
  void tell(connection as NatsConnection, logger, purpose);
  return connection as NatsConnection;
}

async function tell(connection: NatsConnection, logger: Logger, purpose: string): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') logger.warn({ purpose }, 'NATS is gone; reconnecting');
    if (status.type === 'reconnect') logger.info({ purpose }, 'NATS is back');
    if (status.type === 'error') logger.error({ purpose, err: status.error }, 'NATS complains');
  }
}

const hint = (reason: string): string =>
  /authorization|authentication/i.test(reason)
    ? 'are ATHENA_NATS_USER and ATHENA_NATS_PASSWORD right?'
    : 'is it running, is NATS_URL right?';

const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');
