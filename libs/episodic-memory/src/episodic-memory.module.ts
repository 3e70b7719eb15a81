import { hosted, type Platform } from '@athena/service-kit';
import { Module } from '@nestjs/common';
import { EpisodicMemory } from './episodic-memory.js';

const makeMemory = (platform: Platform): EpisodicMemory =>
  new EpisodicMemory({
    ...platform,
    observer: {
      projection: platform.telemetry.projection('episodic_events'),
      failed: (error, where) => platform.telemetry.failed(error, where),
    },
  });

/** Hosts the episodic memory in a Nest application that has the PlatformModule. */
@Module({ providers: hosted(EpisodicMemory, makeMemory) })
export class EpisodicMemoryModule {}
