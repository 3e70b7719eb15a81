import type { ProjectionObserver, RebuildObserver } from '@athena/projection';
import type { Operation, Refusal } from '@athena/operation';
import type { Logger } from 'pino';
import type { EdgeObserver } from './edge-requests.js';
import type { Metrics, Surface } from './metrics.js';
import type { CallObserver } from './operation-client.js';
import type { IncompatiblePeer } from './peers.js';
import type { HostState, PartitionHostObserver } from './partition-host.js';

const AGENTS_PREFIX = 'athena.v1.';
const NAME_PLACE = 4;

/** Observers that turn what parts tell into metrics and log lines, the same in every service. */
export class Telemetry {
  readonly #metrics: Metrics;
  readonly #logger: Logger;
  readonly #operations: ReadonlySet<string>;

  constructor(metrics: Metrics, logger: Logger, operations: readonly Operation[]) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#operations = new Set(operations.map(({ name }) => name));
  }

  /** For the host of one partition, e.g. `task.0`. */
  partition(partition: string): PartitionHostObserver {
    const [metrics, logger] = [this.#metrics, this.#logger];
    return {
      appended: (event) => metrics.appended(partition, event),
      checkpointed: ({ ms }) => metrics.checkpointed(partition, ms),
      checkpointFailed: (error) => {
        metrics.failed('checkpoint');
        logger.warn({ partition, err: error }, 'the state could not be stored; tried again later');
      },
      stateChanged: (_name, state: HostState) => logger.info({ partition, state }, 'partition'),
      failed: (_name, error) => {
        metrics.failed('partition');
        logger.warn({ partition, err: error }, 'the partition stood down; it is opened anew');
      },
    };
  }

  projection(projection: string): ProjectionObserver {
    const [metrics, logger] = [this.#metrics, this.#logger];
    return {
      attached: ({ seq }) => logger.info({ projection, seq }, 'the projection is written here'),
      written: (event) => metrics.projected(projection, event),
      leaderStalled: (event) =>
        logger.warn(
          { projection, ...event },
          'the process that writes the projection stands still; this one takes over',
        ),
      retrying: (error, { afterMs }) => {
        metrics.failed('projection');
        logger.warn({ projection, err: error, retryInMs: afterMs }, 'the projection waits');
      },
      stopped: (error) => logger.error({ projection, err: error }, 'the projection has stopped'),
    };
  }

  get rebuilds(): RebuildObserver {
    const [metrics, logger] = [this.#metrics, this.#logger];
    return {
      taken: ({ name: projection, kind, attempt }) =>
        logger.info({ projection, kind, attempt }, 'the projection is folded beside itself'),
      ended: ({ name: projection, kind }, { seq, events }) =>
        logger.info({ projection, kind, seq, events }, 'the projection was exchanged'),
      interrupted: ({ name: projection, kind }, error) =>
        logger.warn({ projection, kind, err: error }, 'the rebuild was interrupted; it goes on'),
      failed: ({ name: projection, kind }, error) => {
        metrics.failed('rebuild');
        logger.error({ projection, kind, err: error }, 'the rebuild has failed');
      },
    };
  }

  /** For requests of agents and applications over NATS. */
  get edge(): EdgeObserver {
    return {
      onError: (error, subject) => this.failed(error, subject),
      answered: (subject, ms, refusal) => this.#answered(subject, ms, refusal),
    };
  }

  get calls(): CallObserver {
    return {
      called: ({ name }, ms, code) => this.#metrics.requested('internal', name, ms, code),
    };
  }

  incompatible({ where, ours, theirs }: IncompatiblePeer): void {
    this.#metrics.failed('peer');
    this.#logger.error(
      { where, ours, theirs },
      `a process of protocol ${theirs} was met at ${where}, this one speaks ${ours}: both refuse ` +
        'each other; restart the processes of the older release with the newer one',
    );
  }

  /** An error that is no refusal. `where`: an operation, a subject, a part. */
  failed(error: unknown, where: string, requestId?: string): void {
    this.#metrics.failed('request');
    this.#logger.error({ err: error, where, ...(requestId && { requestId }) }, 'it failed inside');
  }

  #answered(subject: string, ms: number, refusal: Refusal | undefined): void {
    const surface: Surface = subject.startsWith(AGENTS_PREFIX) ? 'agent' : 'api';
    const name = subject.split('.').slice(NAME_PLACE).join('.');
    // Verbs are subscribed one by one; what applications write behind their project is up to them.
    const known = surface === 'agent' || this.#operations.has(name);
    this.#metrics.requested(surface, known ? name : 'unknown', ms, refusal?.code);
  }
}
