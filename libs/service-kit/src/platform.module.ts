import { SharedFeed } from '@athena/event-log';
import { JetStreamLog, ensureStream, type StreamWatch } from '@athena/event-log-jetstream';
import { Module, type DynamicModule } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { untilDone } from './backoff.js';
import type { Config } from './config.js';
import { Database, type Schema } from './database.js';
import { GuardedLog } from './guarded-log.js';
import { createLogger } from './logger.js';
import { connectNats } from './nats-connect.js';
import { Platform } from './platform.js';

export interface PlatformSettings extends Schema {
  /** Name of the process in logs, connections and the log's records. */
  readonly name: string;
  readonly config: Config;
}

/** Provides the Platform to every service of the process. */
@Module({})
export class PlatformModule {
  static forRoot(settings: PlatformSettings): DynamicModule {
    const platform = { provide: Platform, useFactory: () => openPlatform(settings) };
    return { module: PlatformModule, global: true, providers: [platform], exports: [Platform] };
  }
}

/** Waits for NATS and its stream, where they are not there yet, and not for Postgres. */
async function openPlatform({ name, config, ...schema }: PlatformSettings): Promise<Platform> {
  const owner = `${name}/${crypto.randomUUID()}`;
  const logger = createLogger(name, config.logLevel);
  const database = new Database(config.databaseUrl, schema, logger);
  // One after the other, so that a missing server is complained of once.
  const nats = await connectNats(config, logger, name, 'commands');
  const feedNats = await connectNats(config, logger, name, 'feed');
  const log = new GuardedLog(new JetStreamLog({ nc: nats }));
  const stream = await watchStream(nats, log, config, logger);
  const history = new JetStreamLog({ nc: feedNats });
  const feed = new SharedFeed(history);
  const streams = { log, stream, history, feed };
  return new Platform({ config, logger, owner, nats, feedNats, ...streams, database });
}

async function watchStream(
  nats: NatsConnection,
  log: GuardedLog,
  { stream }: Config,
  logger: Logger,
): Promise<StreamWatch> {
  const onDrift = (drift: GuardedLog['drift']): void => {
    log.drift = drift;
    if (drift.length === 0) logger.info('the event log’s stream is as it should be again');
    else logger.error({ drift }, 'the event log’s stream was changed: nothing is written any more');
  };
  const watch = await untilDone(() => ensureStream(nats, { ...stream, onDrift }), {
    onFailure: ({ message }, retryInMs) =>
      logger.warn({ reason: message, retryInMs }, 'waiting for JetStream: is it enabled?'),
  });
  return watch as StreamWatch;
}
