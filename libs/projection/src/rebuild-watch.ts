import {
  systemClock,
  systemTimers,
  type Clock,
  type EventLog,
  type Timers,
} from '@athena/event-log';
import type { Pool, PoolClient } from 'pg';
import { isPassing } from './failures.js';
import type { ProjectionRunner } from './runner.js';
import {
  JobLost,
  RebuildJobs,
  endJob,
  failJob,
  giveJobUp,
  noteProgress,
  takeJob,
  type HostedProjection,
  type RebuildJob,
} from './rebuild-jobs.js';
import { dropRebuild, leadingRebuild, rebuild, rollBack, type Rebuilt } from './rebuild.js';
import type { Projection } from './projection.js';
import { inTransaction } from './transaction.js';

const LOOK_MS = 1_000;
/** A process says that it is there this often, or when something has changed. */
const REPORT_MS = 5_000;
const PROGRESS_MS = 250;
/** SQLSTATE disk_full: the live tables need the room more. */
const DISK_FULL = '53100';

export interface RebuildObserver {
  taken?(job: RebuildJob): void;
  ended?(job: RebuildJob, at: Rebuilt): void;
  /** It will be gone on with, here or elsewhere. */
  interrupted?(job: RebuildJob, error: Error): void;
  failed?(job: RebuildJob, error: Error): void;
}

export interface RebuildWatchOptions {
  readonly pool: Pool;
  readonly log: Pick<EventLog, 'read'>;
  /** This process. */
  readonly process: string;
  readonly observer?: RebuildObserver;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/**
 * Does the rebuilds and rollbacks that are asked for of the projections that this process keeps,
 * one at a time, and says which ones these are. Of several processes one does a job; where it dies
 * another goes on with it.
 */
export class RebuildWatch {
  readonly #options: RebuildWatchOptions;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #jobs: RebuildJobs;
  readonly #hosted: { readonly service: string; readonly runner: ProjectionRunner }[] = [];
  #reported = { text: '', at: -Infinity };
  /** Writers that have stopped, and the last exchange of their table then. */
  readonly #failedAfter = new Map<ProjectionRunner, string>();
  #looking: Promise<void> | null = null;
  #working: Promise<void> | null = null;
  #cancel: (() => void) | null = null;
  #stopping = false;

  constructor(options: RebuildWatchOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#jobs = new RebuildJobs(options.pool);
  }

  /** From now on looks after these too. */
  host(service: string, runners: readonly ProjectionRunner[]): void {
    this.#hosted.push(...runners.map((runner) => ({ service, runner })));
    if (this.#hosted.length > 0 && !this.#cancel) this.#lookAfter(0);
  }

  /** A job under way stops behind its batch; another process, or the next, goes on with it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancel?.();
    await this.#looking;
    await this.#working;
    if (this.#hosted.length > 0) await this.#report().catch(() => undefined);
  }

  #lookAfter(ms: number): void {
    this.#cancel = this.#timers.after(ms, () => {
      this.#looking = this.#look()
        // Postgres is away, which the runners say; the next look comes soon.
        .catch(() => undefined)
        .finally(() => {
          if (!this.#stopping) this.#lookAfter(LOOK_MS);
        });
    });
  }

  async #look(): Promise<void> {
    await this.#report();
    await this.#restartMended();
    if (this.#working || this.#stopping) return;
    const mine = this.#hosted.filter(({ runner }) => runner.projection);
    const job = await this.#jobs.next(mine.map(({ runner }) => runner));
    const own = mine.find(
      ({ runner: { name, version } }) => name === job?.name && version === job.version,
    );
    if (!own) return;
    this.#working = this.#work(own.runner.projection as Projection)
      .catch(() => undefined)
      .finally(() => (this.#working = null));
  }

  /** Writers that had stopped for what stood in their table begin again in the exchanged one. */
  async #restartMended(): Promise<void> {
    const failed = this.#hosted.filter(({ runner }) => runner.state === 'failed');
    const known = failed.length > 0 ? await this.#jobs.known() : [];
    for (const { runner } of failed) {
      const one = known.find(
        ({ name, version }) => name === runner.name && version === runner.version,
      );
      const exchange = lastExchange(one?.job);
      const before = this.#failedAfter.get(runner) ?? exchange;
      this.#failedAfter.set(runner, before);
      if (exchange === before) continue;
      this.#failedAfter.delete(runner);
      runner.restart();
    }
  }

  async #report(): Promise<void> {
    const hosted = this.#hosted.map(
      ({ service, runner: { name, version, state, projection } }): HostedProjection => {
        const rebuildable = projection !== undefined;
        return { name, version, service, state: this.#stopping ? 'stopped' : state, rebuildable };
      },
    );
    const [text, now] = [JSON.stringify(hosted), this.#clock.now()];
    if (text === this.#reported.text && now - this.#reported.at < REPORT_MS) return;
    await this.#jobs.report(this.#options.process, hosted);
    this.#reported = { text, at: now };
  }

  async #work(projection: Projection): Promise<void> {
    await leadingRebuild(this.#options.pool, projection, async (client) => {
      const job = await takeJob(client, projection);
      if (!job) return;
      this.#options.observer?.taken?.(job);
      try {
        const done = await this.#do(client, job, projection);
        this.#options.observer?.ended?.(job, done);
      } catch (error) {
        await this.#leave(client, job, projection, error as Error);
      }
    });
  }

  #do(client: PoolClient, job: RebuildJob, projection: Projection): Promise<Rebuilt> {
    let noted = -Infinity;
    const fold = job.kind === 'rebuild' ? rebuild : rollBack;
    return fold(client, {
      log: this.#options.log,
      projection,
      resume: job.attempt > 1,
      onProgress: async (at) => {
        if (this.#stopping) throw new Interrupted('this process ends');
        const now = this.#clock.now();
        if (now - noted < PROGRESS_MS) return;
        noted = now;
        await noteProgress(client, job, at);
      },
      onSwitch: (at) => endJob(client, job, at),
    });
  }

  async #leave(
    client: PoolClient,
    job: RebuildJob,
    projection: Projection,
    error: Error,
  ): Promise<void> {
    const { observer } = this.#options;
    const passing = error instanceof Interrupted || error instanceof JobLost || isPassing(error);
    if (passing && (error as { code?: unknown }).code !== DISK_FULL) {
      observer?.interrupted?.(job, error);
      return giveJobUp(client, job);
    }
    await inTransaction(client, async () => {
      await failJob(client, job, error);
      if (job.kind === 'rebuild') await dropRebuild(client, projection);
    });
    observer?.failed?.(job, error);
  }
}

/** The job by which the projection's table was exchanged last; '' where the last one was not. */
const lastExchange = (job: RebuildJob | null | undefined): string =>
  job?.state === 'switched' || job?.state === 'rolled_back' ? job.id : '';

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
