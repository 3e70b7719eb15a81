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
import { handleListTaskEvents } from './operations/list-task-events.js';

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
  readonly #options: EpisodicMemoryOptions;
  readonly #archive: ProjectionRunner;
  #endpoint: ServiceEndpoint | null = null;

  constructor(options: EpisodicMemoryOptions) {
    this.#options = options;
    const { projectionPool: pool, log, feed, observer } = options;
    const watched = observer?.projection ? { observer: observer.projection } : {};
    this.#archive = new ProjectionRunner({ pool, log, feed, model: new Archive(), ...watched });
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
    await this.#endpoint?.close();
    await this.#archive.stop();
  }

  #handlers(): readonly ServiceHandler[] {
    const { pool, log } = this.#options;
    return [handleListTaskEvents({ pool, log, archive: this.#archive })];
  }

  #failed(error: unknown, where: string): void {
    this.#options.observer?.failed?.(error, where);
  }
}
