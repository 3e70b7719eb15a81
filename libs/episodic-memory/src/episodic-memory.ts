import type { EventLog } from '@athena/event-log';
import { ProjectionRunner, type ProjectionObserver } from '@athena/projection';
import {
  ServiceEndpoint,
  type HostedService,
  type ServiceEndpointOptions,
  type ServiceHandler,
} from '@athena/service-kit';
import type { Pool } from 'pg';
import { Archive } from './archive/archive.js';
import { ArchiveGrowth } from './operations/archive-growth.js';
import { handleListAttempts } from './operations/list-attempts.js';
import { handleListTaskEvents } from './operations/list-task-events.js';
import {
  handleListProjections,
  handleRebuildProjection,
  handleRollbackProjection,
} from './operations/projections.js';
import { handleTimeline } from './operations/timeline.js';
import { handleVerifyLog } from './operations/verify-log.js';

export const SERVICE = 'episodic-memory';

export interface EpisodicMemoryObserver {
  readonly projection?: ProjectionObserver;
  /** What failed that is no refusal; `where` names the operation or part. */
  readonly failed?: (error: unknown, where: string) => void;
}

export interface EpisodicMemoryOptions {
  /** Of account CORE. */
  readonly nats: ServiceEndpointOptions['nats'];
  readonly log: Pick<EventLog, 'get' | 'endSeq'>;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly pool: Pool;
  /** Of the archive's writer, which keeps a connection. */
  readonly projectionPool: Pool;
  readonly observer?: EpisodicMemoryObserver;
}

/** One process of the episodic memory: keeps the archive, answers what happened. */
export class EpisodicMemory implements HostedService {
  readonly name = SERVICE;
  readonly #options: EpisodicMemoryOptions;
  readonly #archive: ProjectionRunner;
  readonly #growth: ArchiveGrowth;
  #endpoint: ServiceEndpoint | null = null;

  constructor(options: EpisodicMemoryOptions) {
    this.#options = options;
    const { projectionPool: pool, log, feed, observer } = options;
    const watched = observer?.projection ? { observer: observer.projection } : {};
    this.#archive = new ProjectionRunner({ pool, log, feed, model: new Archive(), ...watched });
    this.#growth = new ArchiveGrowth(this.#archive);
  }

  get projections(): readonly ProjectionRunner[] {
    return [this.#archive];
  }

  start(): void {
    const { nats } = this.#options;
    const { name } = this.#archive;
    this.#archive.start().catch((error: unknown) => this.#failed(error, `projection ${name}`));
    this.#endpoint = new ServiceEndpoint({
      nats,
      service: SERVICE,
      handlers: this.#handlers(),
      onError: (error, { op }) => this.#failed(error, op),
    });
  }

  /** Answers what it has, then finishes the batch under way. */
  async stop(): Promise<void> {
    this.#growth.close();
    await this.#endpoint?.close();
    await this.#archive.stop();
  }

  #handlers(): readonly ServiceHandler[] {
    const { pool, log } = this.#options;
    const sources = { pool, log, archive: this.#archive };
    return [
      handleListTaskEvents(sources),
      handleListAttempts(sources),
      handleTimeline({ ...sources, growth: this.#growth }),
      handleVerifyLog(sources),
      handleListProjections(sources),
      handleRebuildProjection(sources),
      handleRollbackProjection(sources),
    ];
  }

  #failed(error: unknown, where: string): void {
    this.#options.observer?.failed?.(error, where);
  }
}
