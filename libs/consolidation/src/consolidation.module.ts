import { hosted, type Platform } from '@athena/service-kit';
import { Module } from '@nestjs/common';
import { Consolidation } from './consolidation.js';

const makeConsolidation = (platform: Platform): Consolidation =>
  new Consolidation({
    ...platform,
    observer: {
      projection: (name) => platform.telemetry.projection(name),
      failed: (error, where) => platform.telemetry.failed(error, where),
    },
  });

/** Hosts the consolidation in a Nest application that has the PlatformModule. */
@Module({ providers: hosted(Consolidation, makeConsolidation) })
export class ConsolidationModule {}
