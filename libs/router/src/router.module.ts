import { hosted, type Platform } from '@athena/service-kit';
import { Module } from '@nestjs/common';
import { RouterService, SERVICE } from './router-service.js';
import type { RoutingObserver } from './routing.js';

const makeRouter = (platform: Platform): RouterService =>
  new RouterService({
    ...platform,
    lease: platform.lease(SERVICE),
    weights: platform.config.projectWeights,
    observer: {
      ...routingObserver(platform),
      edge: platform.telemetry.edge,
      error: (error, where) => platform.telemetry.failed(error, where),
    },
  });

const routingObserver = ({ metrics, logger }: Platform): RoutingObserver => ({
  decided: (outcome) => metrics.routingDecided(outcome),
  assigned: (waitedMs) => metrics.taskAssigned(waitedMs),
  claimAnswered: (waitedMs) => metrics.claimWaited(waitedMs),
  failed: (error) => {
    metrics.failed('router');
    logger.warn({ err: error }, 'the router meets trouble; it tries again');
  },
});

/** Hosts the router in a Nest application that has the PlatformModule. */
@Module({ providers: hosted(RouterService, makeRouter) })
export class RouterModule {}
