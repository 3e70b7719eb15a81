import {
  Fold,
  NewerFormat,
  Partition,
  subjectOf,
  systemTimers,
  type Clock,
  type Commit,
  type Decider,
  type EventLog,
  type Follower,
  type Lease,
  type PartitionObserver,
  type StateStore,
  type Timers,
} from '@athena/event-log';
import type { Bus } from './bus.js';

import { NatsLink } from './nats-link.js';
import { PartitionEndpoint } from './partition-endpoint.js';
import type { PartState } from './readiness.js';

/**
 * `opening` is also said while it is loading, and between two tries. `outdated`: a later release
 * has written to the partition, so that this process neither owns it nor stands by.
 */
export type HostState = 'opening' | 'standby' | 'owner' | 'outdated' | 'closed';

const REOPEN_FIRST_MS = 100;
const REOPEN_MS_MAX = 5_000;

export interface PartitionHostObserver extends PartitionObserver {
  stateChanged?(name: string, state: HostState): void;
  /** It stood down, could not open, or its feed broke; it tries again. */
  failed?(name: string, error: Error): void;
}

export interface PartitionHostOptions<S> {
  readonly nats: Bus;
  readonly aggregate: string;
  readonly number: number;
  readonly decider: Decider<S>;
  readonly log: EventLog;
  /** One feed for all readers of the process; default: the log itself. */
  readonly feed?: Pick<EventLog, 'follow'>;
  readonly store?: StateStore;
  readonly fetch?: (ids: readonly string[]) => Promise<ReadonlyMap<string, unknown>>;
  /** Says who tries to own. It is released when the host is closed. */
  readonly lease: Lease;
  /** This process, for the record in `PartitionOpened`. */
  readonly owner: string;
  /** What this process speaks; default: PROTOCOL. */
  readonly protocol?: number;
  /** The partition is open and not served yet. */
  readonly onOpen?: (partition: Partition<S>) => void | Promise<void>;
  /** It is not served any more. */
  readonly onClose?: () => void | Promise<void>;
  readonly observer?: PartitionHostObserver;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/**
 * Keeps one partition alive in this process: as a standby that follows the log while another
 * process has the lease, as the owner when this one has it. An owner that lost the lease serves
 * on until another one has opened: the log decides who owns, the lease only who tries.
 */
export class PartitionHost<S> {
  readonly name: string;
  readonly #options: PartitionHostOptions<S>;
  readonly #timers: Timers;
  #state: HostState = 'opening';
  #partition: Partition<S> | null = null;
  #failures = 0;
  #closing = false;
  #wake: () => void = () => undefined;
  #run: Promise<void> | null = null;

  constructor(options: PartitionHostOptions<S>) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.name = `${options.aggregate}.${options.number}`;
    options.lease.onChange(() => this.#wake());
  }

  get state(): HostState {
    return this.#state;
  }

  /** The open partition where this process is the owner. */
  get partition(): Partition<S> | null {
    return this.#partition;
  }

  get readiness(): PartState {
    return { ready: this.#state === 'owner' || this.#state === 'standby', state: this.#state };
  }

  start(): void {
    this.#run ??= this.#live();
  }

  /** Takes no more commands, finishes, writes a last checkpoint, gives the lease up. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#wake();
    await this.#run;
    this.#turn('closed');
    await this.#options.lease.release();
  }

  async #live(): Promise<void> {
    while (!this.#closing) {
      try {
        await this.#once();
      } catch (error) {
        this.#options.observer?.failed?.(this.name, error as Error);
        if (error instanceof NewerFormat) return this.#stepBack();
        this.#turn('opening');
        await this.#backOff();
      }
    }
  }

  /** For good: nothing but a later release can own what a later release wrote. */
  async #stepBack(): Promise<void> {
    this.#turn('outdated');
    await this.#options.lease.release();
  }

  /** Load, stand by, own: until it stands down (throws) or the host closes. */
  async #once(): Promise<void> {
    this.#turn('opening');
    const { decider, log, store, protocol } = this.#options;
    const fold = await Fold.load(this.name, decider, log, store, protocol);
    if (fold.newer) throw fold.newer;
    if (!this.#options.lease.held) await this.#standBy(fold);
    if (!this.#closing) await this.#own(fold);
  }

  async #standBy(fold: Fold<S>): Promise<void> {
    const follower = this.#follow(fold.position.seq + 1, (commits) => {
      for (const commit of commits) if (commit.seq > fold.position.seq) fold.apply(commit);
      // Nobody is parked here, so nobody is to be woken; only the list must not grow.
      fold.decider.takeWoken?.(fold.state);
      if (fold.newer) this.#wake();
    });
    this.#turn('standby');
    try {
      const { lease } = this.#options;
      await this.#until(() => this.#closing || lease.held || fold.newer !== null, follower);
      if (fold.newer) throw fold.newer;
    } finally {
      await follower.stop();
    }
  }

  async #own(fold: Fold<S>): Promise<void> {
    this.#turn('opening');
    const stoodDown: Error[] = [];
    const standDown = (error: Error): void => {
      stoodDown.push(error);
      this.#wake();
    };
    const partition = await Partition.open(this.#partitionOptions(standDown), fold);
    const watch = this.#follow(partition.position.seq + 1, (commits) => {
      if (commits.some(({ header }) => header.epoch > partition.epoch)) {
        standDown(new Error(`${this.name}: another owner opened`));
      }
    });
    try {
      await this.#serve(partition, () =>
        this.#until(() => this.#closing || stoodDown.length > 0, watch),
      );
    } finally {
      await watch.stop();
    }
    if (stoodDown[0]) throw stoodDown[0];
  }

  async #serve(partition: Partition<S>, untilEnd: () => Promise<void>): Promise<void> {
    const { nats, aggregate, number, onOpen, onClose } = this.#options;
    this.#partition = partition;
    const unwatch = NatsLink.of(nats).onChange(clocksRestarter(partition));
    let endpoint: PartitionEndpoint | null = null;
    try {
      await onOpen?.(partition);
      endpoint = PartitionEndpoint.open({ nats, aggregate, number, partition });
      this.#failures = 0;
      this.#turn('owner');
      await untilEnd();
    } finally {
      this.#partition = null;
      unwatch();
      await endpoint?.close();
      await partition.close();
      await onClose?.();
    }
  }

  #partitionOptions(onStandDown: (reason: Error) => void): Parameters<typeof Partition.open<S>>[0] {
    const { log, decider, store, fetch, owner, protocol, observer, clock, timers } = this.#options;
    return {
      name: this.name,
      log,
      decider,
      owner,
      onStandDown,
      ...(protocol !== undefined && { protocol }),
      ...(store && { store }),
      ...(fetch && { fetch }),
      ...(observer && { observer }),
      ...(clock && { clock }),
      ...(timers && { timers }),
    };
  }

  #follow(from: number, onCommits: (commits: readonly Commit[]) => void): Follower {
    const mine = subjectOf(this.name);
    const feed = this.#options.feed ?? this.#options.log;
    return feed.follow({ from, subjects: (subject) => subject === mine }, onCommits);
  }

  /** Waits for a condition that is looked at on every wake; throws where the feed breaks. */
  async #until(reached: () => boolean, follower: Follower): Promise<void> {
    const broken = follower.done.then(() => {
      throw new Error(`${this.name}: the feed ended`);
    });
    broken.catch(() => undefined);
    while (!reached()) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      await Promise.race([woken, broken]);
    }
  }

  async #backOff(): Promise<void> {
    const ms = Math.min(REOPEN_MS_MAX, REOPEN_FIRST_MS * 2 ** this.#failures++);
    let cancel = (): void => undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      cancel = this.#timers.after(this.#closing ? 0 : ms, resolve);
    });
    cancel();
  }

  #turn(state: HostState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#options.observer?.stateChanged?.(this.name, state);
  }
}

/** Nobody could report while the connection was down: nobody may be judged by that time. */
function clocksRestarter<S>(partition: Partition<S>): (connected: boolean) => void {
  let lostAt = performance.now();
  return (connected) => {
    const now = performance.now();
    if (connected) partition.restartClocks(Math.round(now - lostAt));
    else lostAt = now;
  };
}
