import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger } from 'pino';
import { readConfig, type Config } from './config.js';
import type { Schema } from './database.js';
import { within } from './drain.js';
import { NestLogger, createLogger } from './logger.js';
import { ManagementModule } from './management.module.js';
import { PlatformModule } from './platform.module.js';
import { Platform } from './platform.js';

/** A stop that takes longer is cut off; orchestrators wait a little longer than this. */
export const STOP_MS_MAX = 15_000;

/** One service: its module, and what it adds to the database. */
export interface ServiceParts extends Partial<Schema> {
  readonly module: Type<unknown> | DynamicModule;
}

export interface ServiceSettings {
  /** Of the process, in logs and records. */
  readonly name: string;
  readonly services: readonly ServiceParts[];
  readonly config: Config;
}

export interface RunningService {
  /** Where probes and metrics are. */
  readonly managementUrl: string;
  /** A provider of the process, by its class: a service, or the Platform. */
  get<T>(provider: Type<T>): T;
  /** Graceful: services first, then what they are connected to. May be called again. */
  stop(): Promise<void>;
}

@Module({})
class ProcessModule {}

/**
 * Boots services in this process. The Nest application serves the management port only; the
 * gateway's public port is a second, small Nest application that its own module starts and stops,
 * so that what is public and what is not never share a router.
 */
export async function startService(settings: ServiceSettings): Promise<RunningService> {
  const { config } = settings;
  const nestLogger = new NestLogger(createLogger(settings.name, config.logLevel));
  const app = await NestFactory.create<NestFastifyApplication>(
    processModule(settings),
    new FastifyAdapter({ forceCloseConnections: true }),
    { logger: nestLogger, abortOnError: false },
  );
  const platform = app.get(Platform);
  let stopped: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    await app.close();
    await platform.close();
  };
  try {
    await app.listen({ host: config.host, port: config.managementPort });
  } catch (error) {
    await stop();
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  platform.logger.info({ port }, 'started');
  return {
    managementUrl: `http://${config.host}:${port}`,
    get: (provider) => app.get(provider, { strict: false }),
    stop: () => (stopped ??= stop()),
  };
}

function processModule({ name, services, config }: ServiceSettings): DynamicModule {
  const platform = PlatformModule.forRoot({
    name,
    config,
    entities: services.flatMap(({ entities = [] }) => entities),
    migrations: services.flatMap(({ migrations = [] }) => migrations),
  });
  const modules = services.map(({ module }) => module);
  return { module: ProcessModule, imports: [platform, ManagementModule.create(), ...modules] };
}

/**
 * The whole life of a service's process: reads the environment, boots, and stops gracefully on
 * SIGTERM and SIGINT. What nobody caught is logged and ends the process with status 1, so that
 * whoever supervises it starts it anew.
 */
export async function runService(name: string, services: readonly ServiceParts[]): Promise<void> {
  const logger = createLogger(name, 'info');
  const fail = (error: unknown, message: string): never => {
    logger.fatal({ err: error }, message);
    process.exit(1);
  };
  process.on('uncaughtException', (error) => fail(error, 'nobody caught this: the process ends'));
  process.on('unhandledRejection', (error) => fail(error, 'nobody caught this: the process ends'));
  try {
    const config = readConfig();
    endWith(await startService({ name, services, config }), logger);
  } catch (error) {
    fail(error, `${name} could not start: ${(error as Error).message}`);
  }
}

function endWith(service: RunningService, logger: Logger): void {
  let ending = false;
  const end = async (reason: string, status: number): Promise<void> => {
    if (ending) return;
    ending = true;
    logger.info({ reason }, 'stopping');
    await within(STOP_MS_MAX, service.stop());
    logger.info('stopped');
    process.exit(status);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => void end(signal, 0));
  }
  // The client reconnects for ever; where it ends all the same only a new process helps.
  void service
    .get(Platform)
    .natsLost()
    .then(() => end('the connection to NATS ended', 1));
}
