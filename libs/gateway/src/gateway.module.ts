import { operations } from '@athena/contracts';
import { hosted, type Config, type Platform } from '@athena/service-kit';
import { Module } from '@nestjs/common';
import { ACCESS_PARTITION } from './access/key-table.js';
import { Gateway, type GatewayConfig } from './gateway.js';

/** What the gateway takes of the process's configuration. */
function gatewayConfig(config: Config): GatewayConfig {
  const { host, httpPort, allowedHosts, bootstrapKey, nats } = config;
  return {
    http: { host, port: httpPort, allowedHosts },
    ...(bootstrapKey === null ? {} : { bootstrapKey }),
    ...(nats.callout ? { callout: { servers: [...nats.servers], ...nats.callout } } : {}),
  };
}

const makeGateway = (platform: Platform): Gateway =>
  new Gateway({
    ...platform,
    operations,
    caller: platform.calls,
    config: gatewayConfig(platform.config),
    lease: platform.lease(ACCESS_PARTITION),
    observers: {
      partition: platform.telemetry.partition(ACCESS_PARTITION),
      edge: platform.telemetry.edge,
      rest: (operation, ms, code) => platform.metrics.requested('rest', operation, ms, code),
      mcp: (operation, ms, code) => platform.metrics.requested('mcp', operation, ms, code),
    },
  });

/**
 * Projects and keys, REST with its document, applications over NATS, and the auth callout, in a
 * Nest application that has the PlatformModule. The `Gateway` tells its public `port`.
 */
@Module({ providers: hosted(Gateway, makeGateway) })
export class GatewayModule {}
