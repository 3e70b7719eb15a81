import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  Provider,
  Type,
} from '@nestjs/common';
import type { ProjectionRunner } from '@athena/projection';
import { Platform } from './platform.js';
import type { Part, PartState } from './readiness.js';

/** What the process asks of a service; the service knows nothing of Nest. */
export interface HostedService {
  readonly name: string;
  /**
   * What must be ready before the process counts as ready; asked anew at every probe, so that
   * there may come more.
   */
  readonly parts?: readonly Part[];
  readonly projections?: readonly ProjectionRunner[];
  start(): void | Promise<void>;
  /** Takes nothing new, answers what it has. */
  stop(): Promise<void>;
}

/**
 * Providers of a module that hosts one service: made of the platform, told of in readiness and
 * metrics, started when all of the process is made, and stopped before its connections close.
 */
export function hosted<T extends HostedService>(
  service: Type<T>,
  make: (platform: Platform) => T,
): Provider[] {
  return [
    { provide: service, useFactory: make, inject: [Platform] },
    {
      provide: ServiceHost,
      useFactory: (made: T, platform: Platform) => new ServiceHost(made, platform),
      inject: [service, Platform],
    },
  ];
}

class ServiceHost implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #service: HostedService;
  readonly #platform: Platform;

  constructor(service: HostedService, platform: Platform) {
    this.#service = service;
    this.#platform = platform;
    const { readiness, metrics } = platform;
    readiness.addAll(() => service.parts ?? []);
    for (const projection of service.projections ?? []) {
      const state = (): PartState => {
        const { state } = projection;
        return { ready: state !== 'failed', state };
      };
      readiness.add(`projection ${projection.name}`, state);
      metrics.watchProjection(projection);
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.#service.start();
    this.#platform.rebuilds.host(this.#service.name, this.#service.projections ?? []);
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.#service.stop();
  }
}
