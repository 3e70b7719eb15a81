import { Controller, Get, Inject, Module, Res, type DynamicModule } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorService,
  TerminusModule,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import type { Registry } from 'prom-client';
import { EventLoopWatch } from './event-loop-watch.js';
import { Platform } from './platform.js';

const PING_MS_MAX = 2_000;
/** Probes of several watchers in one moment ask Postgres once. */
const PING_CACHE_MS = 1_000;

interface HeaderSink {
  header(name: string, value: string): unknown;
}

/** What an orchestrator asks. `live` asks nobody: a restart mends no dependency. */
@Controller('healthz')
class HealthController {
  readonly #health: HealthCheckService;
  readonly #indicators: HealthIndicatorService;
  readonly #platform: Platform;
  readonly #eventLoop: EventLoopWatch;

  constructor(
    @Inject(HealthCheckService) health: HealthCheckService,
    @Inject(HealthIndicatorService) indicators: HealthIndicatorService,
    @Inject(Platform) platform: Platform,
    @Inject(EventLoopWatch) eventLoop: EventLoopWatch,
  ) {
    this.#health = health;
    this.#indicators = indicators;
    this.#platform = platform;
    this.#eventLoop = eventLoop;
  }

  @Get('live')
  live(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** The port opens when everything has been made, so whoever hears this has started. */
  @Get('startup')
  startup(): { status: 'ok' } {
    return { status: 'ok' };
  }

  @Get('ready')
  ready(): Promise<HealthCheckResult> {
    const parts = [...this.#platform.readiness.parts].map(([name, part]) => () => {
      const indicator = this.#indicators.check(name);
      return part.ready
        ? indicator.up({ state: part.state })
        : indicator.down({ state: part.state });
    });
    return this.#health.check([
      () => this.#nats(),
      () => this.#stream(),
      () => this.#postgres(),
      () => this.#stall(),
      ...parts,
    ]);
  }

  #nats(): HealthIndicatorResult {
    const indicator = this.#indicators.check('nats');
    return this.#platform.natsConnected ? indicator.up() : indicator.down('not connected');
  }

  #stream(): HealthIndicatorResult {
    const indicator = this.#indicators.check('event log');
    const drift = this.#platform.streamDrift;
    return drift.length === 0 ? indicator.up() : indicator.down(`changed: ${drift.join(', ')}`);
  }

  /** Once it has been reached, Postgres may go: writes go on, so that requests must still come. */
  async #postgres(): Promise<HealthIndicatorResult> {
    const { database } = this.#platform;
    const indicator = this.#indicators.check('postgres');
    if (!database.migrated) return indicator.down('was not reached yet');
    const attempt = indicator.attempt(() => database.ping());
    const result = await attempt.withTimeout(PING_MS_MAX).cacheFor(PING_CACHE_MS);
    if (result.postgres.status === 'up') return result;
    return indicator.degraded('not reachable: reads may fail, writes go on');
  }

  #stall(): HealthIndicatorResult {
    const indicator = this.#indicators.check('event loop');
    const { stallMs } = this.#eventLoop;
    return stallMs === 0 ? indicator.up() : indicator.down(`stood still for ${stallMs} ms`);
  }
}

@Controller('metrics')
class MetricsController {
  readonly #registry: Registry;

  constructor(@Inject(Platform) platform: Platform) {
    const { metrics, readiness } = platform;
    this.#registry = metrics.registry;
    metrics.watchLog(() => platform.logPosition());
    metrics.watchParts(() => readiness.parts);
  }

  /** Prometheus refuses a scrape without the registry's own content type. */
  @Get()
  scrape(@Res({ passthrough: true }) reply: HeaderSink): Promise<string> {
    reply.header('content-type', this.#registry.contentType);
    return this.#registry.metrics();
  }
}

/** Probes and metrics, on the management port. */
@Module({})
export class ManagementModule {
  static create(): DynamicModule {
    return {
      module: ManagementModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController, MetricsController],
      providers: [{ provide: EventLoopWatch, useFactory: () => new EventLoopWatch() }],
    };
  }
}
