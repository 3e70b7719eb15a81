import { hosted, type Config, type Platform } from '@athena/service-kit';
import { Module } from '@nestjs/common';
import { AgentRegistry, PARTITION_NAME } from './agent-registry.js';
import type { SystemAccountOptions } from './presence/system-account.js';

function makeRegistry(platform: Platform): AgentRegistry {
  const { config, telemetry, metrics } = platform;
  const system = systemAccount(config);
  const registry = new AgentRegistry({
    ...platform,
    lease: platform.lease(PARTITION_NAME),
    ...(system && { system }),
    observer: {
      host: telemetry.partition(PARTITION_NAME),
      projection: (name) => telemetry.projection(name),
      edge: telemetry.edge,
      failed: (error, where) => telemetry.failed(error, where),
    },
  });
  metrics.watchAgents(() => registry.counts);
  return registry;
}

const systemAccount = ({ nats }: Config): SystemAccountOptions | null =>
  nats.sys && { servers: nats.servers, ...nats.sys };

/** Hosts the agent registry in a Nest application that has the PlatformModule. */
@Module({ providers: hosted(AgentRegistry, makeRegistry) })
export class AgentRegistryModule {}
