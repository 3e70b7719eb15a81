import {
  getConsolidation,
  getInsights,
  limits,
  listConsolidations,
  listRecommendations,
  triggerConsolidation,
} from '@athena/contracts';
import { systemClock, type Clock, type EventLog } from '@athena/event-log';
import {
  ProjectionRunner,
  TableModel,
  orUnavailable,
  type ProjectionObserver,
} from '@athena/projection';
import {
  ServiceEndpoint,
  type HostedService,
  type ServiceEndpointOptions,
  type ServiceHandler,
} from '@athena/service-kit';
import type { Pool } from 'pg';
import { consolidation } from './operations/get-consolidation.js';
import { insights } from './operations/get-insights.js';
import { consolidations } from './operations/list-consolidations.js';
import { recommendations } from './operations/list-recommendations.js';
import { consolidate } from './operations/trigger-consolidation.js';
import { attemptOutcomes } from './projections/attempt-outcomes.js';
import { fleetActivity } from './projections/fleet-activity.js';

export const SERVICE = 'consolidation';

export interface ConsolidationObserver {
  readonly projection?: (name: string) => ProjectionObserver;
  /** What failed that is no refusal; `where` names the operation or part. */
  readonly failed?: (error: unknown, where: string) => void;
}

export interface ConsolidationOptions {
  /** Of account CORE. */
  readonly nats: ServiceEndpointOptions['nats'];
  readonly log: Pick<EventLog, 'get' | 'endSeq'>;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly pool: Pool;
  /** Of the projections' writers, which keep a connection each. */
  readonly projectionPool: Pool;
  readonly clock?: Clock;
  readonly observer?: ConsolidationObserver;
}

/** One process of the consolidation: follows the log, serves figures and what rules say of them. */
export class Consolidation implements HostedService {
  readonly name = SERVICE;
  readonly projections: readonly ProjectionRunner[];
  readonly #options: ConsolidationOptions;
  readonly #clock: Clock;
  #endpoint: ServiceEndpoint | null = null;

  constructor(options: ConsolidationOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { projectionPool: pool, log, feed, observer } = options;
    this.projections = [attemptOutcomes, fleetActivity].map((projection) => {
      const watch = observer?.projection?.(projection.name);
      const watched = watch ? { observer: watch } : {};
      return new ProjectionRunner({
        pool,
        log,
        feed,
        model: new TableModel(projection),
        ...watched,
      });
    });
  }

  start(): void {
    for (const runner of this.projections) {
      const where = `projection ${runner.name}`;
      runner.start().catch((error: unknown) => this.#failed(error, where));
    }
    this.#endpoint = new ServiceEndpoint({
      nats: this.#options.nats,
      service: SERVICE,
      handlers: this.#handlers(),
      onError: (error, { op }) => this.#failed(error, op),
    });
  }

  /** Answers what it has, then finishes the batches under way. */
  async stop(): Promise<void> {
    await this.#endpoint?.close();
    await Promise.all(this.projections.map((runner) => runner.stop()));
  }

  #handlers(): readonly ServiceHandler[] {
    const { pool, log } = this.#options;
    const now = (): number => this.#clock.now();
    const get: ServiceHandler<typeof getInsights> = {
      operation: getInsights,
      handle: async (input, { project }) =>
        this.#read(input.minSeq, () => insights(pool, project, now(), input)),
    };
    const list: ServiceHandler<typeof listRecommendations> = {
      operation: listRecommendations,
      handle: async (input, { project }) =>
        this.#read(input.minSeq, () => recommendations(pool, project, now(), input)),
    };
    const trigger: ServiceHandler<typeof triggerConsolidation> = {
      operation: triggerConsolidation,
      // What has finished before the call is covered.
      handle: async ({ batchSize }, { project }) =>
        this.#read(await log.endSeq(), () => consolidate(pool, project, now(), batchSize)),
    };
    // Runs are written by the trigger itself, not by a projection: they are there when it answers.
    const kept: ServiceHandler<typeof listConsolidations> = {
      operation: listConsolidations,
      handle: async (input, { project }) =>
        this.#read(undefined, () => consolidations(pool, project, input)),
    };
    const one: ServiceHandler<typeof getConsolidation> = {
      operation: getConsolidation,
      handle: async (input, { project }) =>
        this.#read(undefined, () => consolidation(pool, project, input)),
    };
    return [get, list, trigger, kept, one];
  }

  async #read<T>(
    minSeq: number | undefined,
    read: () => Promise<T>,
  ): Promise<{ output: T; seq: number }> {
    const wait = (runner: ProjectionRunner, seq: number): Promise<void> =>
      runner.waitFor(seq, limits.MIN_SEQ_WAIT_MS_MAX);
    if (minSeq !== undefined) await Promise.all(this.projections.map((one) => wait(one, minSeq)));
    const reached = this.projections.map((runner) => runner.reached());
    const seq = Math.min(...(await orUnavailable(Promise.all(reached))));
    return { output: await read(), seq };
  }

  #failed(error: unknown, where: string): void {
    this.#options.observer?.failed?.(error, where);
  }
}
