import { NOT_CAUGHT_UP, Refused } from '@athena/operation';
import {
  systemClock,
  systemTimers,
  type Clock,
  type EventLog,
  type Seq,
  type Timers,
} from '@athena/event-log';
import type { Pool, PoolClient } from 'pg';
import { BatchWriter } from './batch-writer.js';
import { verifyHeads } from './chain.js';
import { attach, giveUpLead, readPosition, takeLead, type CheckpointId } from './checkpoints.js';
import { isPassing } from './failures.js';
import { Inbox, type Arrivals } from './inbox.js';
import { LeaderWatch } from './leader-watch.js';
import { Progress } from './progress.js';
import type { Projection } from './projection.js';
import type { ReadModel } from './read-model.js';

const RETRY_FIRST_MS = 100;
const RETRY_MS_MAX = 5_000;
const STANDBY_POLL_MS = 500;
/** How often a standby asks how far the writer has come, for a reader that waits. */
const POSITION_POLL_MS = 25;
/** Positions in which nothing was for this model are stored this often. */
const SEEN_SAVE_MS = 250;

/** What a runner tells its surroundings, for metrics and logs. */
export interface ProjectionObserver {
  /** This process writes the projection from now on. */
  attached?(event: { seq: Seq }): void;
  written?(event: { ms: number; commits: number; events: number; rows: number; seq: Seq }): void;
  retrying?(error: Error, event: { afterMs: number }): void;
  /** The process that wrote it stood still at `seq`: its connection was ended by this one. */
  leaderStalled?(event: { seq: Seq; ms: number }): void;
  /** It stopped for good: nobody but a person can mend what the error says. */
  stopped?(error: Error): void;
}

export interface ProjectionRunnerOptions {
  readonly pool: Pool;
  readonly feed: Pick<EventLog, 'follow'>;
  /**
   * Asked when attaching, whether it still holds what the checkpoint rests on, and when standing
   * by, whether the writer ought to come on.
   */
  readonly log: Pick<EventLog, 'get' | 'endSeq'>;
  readonly model: ReadModel;
  readonly observer?: ProjectionObserver;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** What readers need of a projection: how far it has come. */
export interface CaughtUp {
  /** @throws Refused NOT_CAUGHT_UP after `ms` */
  waitFor(seq: Seq, ms: number): Promise<void>;
  /** Position that a read begun now reflects at least. */
  reached(): Promise<Seq>;
}

export type RunnerState = 'standby' | 'writing' | 'retrying' | 'stopped' | 'failed';

/**
 * Keeps one read model up to date with the log. Of several processes with the same model one
 * writes, the others stand by, and replace it where it stands still; safety rests on the
 * checkpoint's compare-and-set alone. While Postgres is away nothing is pulled; afterwards it
 * resumes exactly behind its checkpoint.
 */
export class ProjectionRunner implements CaughtUp {
  readonly #options: ProjectionRunnerOptions;
  readonly #id: CheckpointId;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #progress: Progress;
  readonly #leader: LeaderWatch;
  #state: RunnerState = 'standby';
  #running: Promise<void> | null = null;
  #inbox: Inbox | null = null;
  /** When the oldest commit of the batch being written was decided. */
  #writing: { readonly at: number; readonly events: number } | null = null;
  #stopping = false;
  #endPause: (() => void) | null = null;

  constructor(options: ProjectionRunnerOptions) {
    this.#options = options;
    this.#id = { name: options.model.name, version: options.model.version, slot: 'live' };
    this.#clock = options.clock ?? systemClock;
    this.#timers = options.timers ?? systemTimers;
    this.#progress = new Progress(this.#timers);
    this.#leader = new LeaderWatch({
      id: this.#id,
      log: options.log,
      clock: this.#clock,
      onStall: (event) => options.observer?.leaderStalled?.(event),
    });
  }

  get name(): string {
    return this.#id.name;
  }
  get version(): number {
    return this.#id.version;
  }
  /** What it folds by; absent: the model can't be rebuilt. */
  get projection(): Projection | undefined {
    return this.#options.model.projection;
  }
  get state(): RunnerState {
    return this.#state;
  }
  /** Last position written by this process. */
  get position(): Seq {
    return this.#progress.position;
  }

  /** Events that arrived and are not written yet, and the age of the oldest of them. */
  get lag(): { readonly events: number; readonly seconds: number } {
    const events = (this.#inbox?.events ?? 0) + (this.#writing?.events ?? 0);
    const oldestAt = this.#writing?.at ?? this.#inbox?.oldest?.at;
    const ms = oldestAt === undefined ? 0 : this.#clock.now() - oldestAt;
    return { events, seconds: Math.max(0, ms) / 1_000 };
  }

  /** Begins; resolves after `stop`, rejects where the projection stopped by itself for good. */
  start(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Begins again where it had stopped by itself, after what it stopped for was mended. */
  restart(): void {
    if (this.#state !== 'failed') return;
    this.#state = 'standby';
    this.#running = this.#run();
    this.#running.catch(() => undefined);
  }

  /** Finishes the batch under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#inbox?.close();
    this.#endPause?.();
    await this.#running?.catch(() => undefined);
  }

  async waitFor(seq: Seq, ms: number): Promise<void> {
    const reached =
      this.#state === 'writing'
        ? await this.#progress.wait(seq, ms)
        : await this.#pollFor(seq, this.#clock.now() + ms);
    if (reached) return;
    throw Refused.because(NOT_CAUGHT_UP, `${this.name} has not reached position ${seq}`);
  }

  async reached(): Promise<Seq> {
    return this.#state === 'writing' ? this.position : readPosition(this.#options.pool, this.#id);
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#stopping;) {
      try {
        await this.#session();
        failures = 0;
        this.#state = 'standby';
        if (!this.#stopping) await this.#pause(STANDBY_POLL_MS);
      } catch (error) {
        if (!isPassing(error)) throw this.#failed(error as Error);
        if (this.#state === 'writing') failures = 0;
        const afterMs = Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** failures++);
        this.#state = 'retrying';
        this.#options.observer?.retrying?.(error as Error, { afterMs });
        if (!this.#stopping) await this.#pause(afterMs);
      }
    }
    this.#state = 'stopped';
  }

  #failed(error: Error): Error {
    this.#state = 'failed';
    this.#options.observer?.stopped?.(error);
    return error;
  }

  /** From one connection to its end: leads and writes, or finds that another does. */
  async #session(): Promise<void> {
    const { pool, model } = this.#options;
    const client = await pool.connect();
    let lost: Error | null = null;
    client.on('error', (error) => {
      lost = error;
      this.#inbox?.fail(error);
    });
    try {
      const leads = (await takeLead(client, this.#id)) || (await this.#takeOver(client));
      if (!leads) return;
      await this.#lead(client, () => lost);
      await giveUpLead(client);
    } finally {
      this.#inbox = null;
      model.forget();
      // However this ended, the lead ends with the connection.
      client.release(true);
    }
  }

  /** From a leader that stands still. */
  async #takeOver(client: PoolClient): Promise<boolean> {
    return (await this.#leader.look(client)) && (await takeLead(client, this.#id));
  }

  async #lead(client: PoolClient, lost: () => Error | null): Promise<void> {
    const { feed, log, model, observer } = this.#options;
    const checkpoint = await attach(client, this.#id);
    await verifyHeads(log, this.name, checkpoint.heads);
    const inbox = new Inbox(checkpoint.seq, this.#timers);
    this.#inbox = inbox;
    if (this.#stopping) return;
    const options = {
      from: checkpoint.seq + 1,
      ...(model.subjects && { subjects: model.subjects }),
    };
    const follower = feed.follow(options, (commits, seen) => inbox.put(commits, seen));
    follower.done.catch((error: Error) => inbox.fail(error));
    try {
      const error = lost();
      if (error) throw error;
      this.#progress.reach(checkpoint.seq);
      this.#state = 'writing';
      observer?.attached?.({ seq: checkpoint.seq });
      await this.#drain(inbox, new BatchWriter(client, model, this.#id, checkpoint));
    } finally {
      inbox.close();
      await follower.stop();
    }
  }

  async #drain(inbox: Inbox, writer: BatchWriter): Promise<void> {
    let savedAt = this.#clock.now();
    for (;;) {
      const unsaved = this.#progress.position > writer.checkpoint.seq;
      const arrivals = await inbox.take(unsaved ? SEEN_SAVE_MS : undefined);
      if (!arrivals) return;
      const quiet = arrivals.commits.length === 0;
      if (!quiet || this.#clock.now() - savedAt >= SEEN_SAVE_MS) {
        await this.#write(writer, arrivals);
        savedAt = this.#clock.now();
      }
      this.#progress.reach(arrivals.seen);
    }
  }

  async #write(writer: BatchWriter, { commits, seen }: Arrivals): Promise<void> {
    const began = performance.now();
    const events = commits.reduce((sum, commit) => sum + commit.events.length, 0);
    this.#writing = { at: commits[0]?.at ?? this.#clock.now(), events };
    try {
      const rows = await writer.write(commits, seen);
      const ms = performance.now() - began;
      this.#options.observer?.written?.({ ms, commits: commits.length, events, rows, seq: seen });
    } finally {
      this.#writing = null;
    }
  }

  async #pollFor(seq: Seq, until: number): Promise<boolean> {
    for (;;) {
      const position = await readPosition(this.#options.pool, this.#id).catch(() => 0);
      if (Math.max(position, this.#state === 'writing' ? this.position : 0) >= seq) return true;
      if (this.#clock.now() >= until) return false;
      await new Promise<void>((resolve) => this.#timers.after(POSITION_POLL_MS, resolve));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(ms, () => this.#endPause?.());
      this.#endPause = () => {
        this.#endPause = null;
        cancel();
        resolve();
      };
    });
  }
}
