import { outlineTasks } from '@athena/contracts';
import {
  systemClock,
  systemTimers,
  type Clock,
  type EventLog,
  type Lease,
  type Partition,
  type StateStore,
  type Timers,
} from '@athena/event-log';
import { partitionOfId } from '@athena/operation';
import {
  PartitionHost,
  type Bus,
  type Contacts,
  type OperationCaller,
  type PartitionHostObserver,
  type TaskPartitions,
} from '@athena/service-kit/wire';
import { taskDecider } from './domain/decider.js';
import { HOME, hostedOf } from './domain/partitions.js';
import { rowOf, type TaskState } from './domain/state.js';
import { FollowOthers } from './reactions/follow-others.js';
import { Grow } from './reactions/grow.js';
import { WatchedTasks, type TaskObserver } from './watched-tasks.js';

const ACTOR = 'system:task-queue';

export interface TaskPartitionObserver {
  readonly host: (partition: string) => PartitionHostObserver;
  readonly tasks: TaskObserver;
  /** What failed that is no refusal. */
  readonly failed: (error: unknown, where: string) => void;
}

export interface TaskPartitionOptions {
  /** Of account CORE. */
  readonly nats: Bus;
  readonly log: EventLog;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly store?: StateStore;
  readonly number: number;
  /** By the partition's name. */
  readonly lease: (partition: string) => Lease;
  /** So many partitions are wanted at least. */
  readonly partitions: number;
  /** What this process knows of them. */
  readonly map: Pick<TaskPartitions, 'has'>;
  readonly owner: string;
  readonly calls: OperationCaller;
  readonly contacts: Contacts;
  /** This partition's tasks that have finished, from what has seen the log up to a position. */
  readonly finished: (
    ids: readonly string[],
    minSeq: number,
  ) => Promise<ReadonlyMap<string, unknown>>;
  /** So many partitions have to be hosted, as the first one knows. */
  readonly onHosted: (partitions: number) => void;
  readonly observer: TaskPartitionObserver;
  readonly clock?: Clock;
  readonly timers?: Timers;
}

/** One task partition in this process: owned or followed, with what its owner does besides. */
export class TaskPartition {
  readonly host: PartitionHost<TaskState>;
  readonly #options: TaskPartitionOptions;
  readonly #watched: WatchedTasks;
  #others: FollowOthers | null = null;
  #grow: Grow | null = null;

  constructor(options: TaskPartitionOptions) {
    this.#options = options;
    const { number, contacts, observer } = options;
    const onContact = (project: string, agentId: string): void => contacts.add(project, agentId);
    this.#watched = new WatchedTasks(taskDecider({ partition: number, onContact }), {
      ...observer.tasks,
      partitions: (state) => this.#partitionsChanged(state),
    });
    this.host = this.#makeHost();
  }

  /** Live tasks by status, where this process owns them. */
  get counts(): Readonly<Record<string, number>> {
    return this.host.partition ? this.#watched.counts : {};
  }

  #makeHost(): PartitionHost<TaskState> {
    const { nats, log, feed, store, lease, owner, observer, number } = this.#options;
    const { clock = systemClock, timers = systemTimers } = this.#options;
    const name = `task.${number}`;
    return new PartitionHost({
      nats,
      aggregate: 'task',
      number,
      decider: this.#watched.decider,
      log,
      feed,
      ...(store && { store }),
      lease: lease(name),
      owner,
      fetch: (ids) => this.#fetch(ids),
      onOpen: (partition) => this.#opened(partition),
      onClose: () => this.#closed(),
      observer: observer.host(name),
      clock,
      timers,
    });
  }

  async #opened(partition: Partition<TaskState>): Promise<void> {
    const { feed, number, calls, observer, partitions, timers = systemTimers } = this.#options;
    const failed = (where: string) => (error: unknown) => observer.failed(error, where);
    this.#watched.open = true;
    const onFailure = failed(`task.${number} following the others`);
    this.#others = new FollowOthers({ feed, partition, number, timers, onFailure });
    if (number === HOME) {
      const onFailure = failed('adding partitions');
      this.#grow = new Grow({ home: partition, operations: calls, timers, onFailure });
      await this.#growTo(partition, partitions);
    }
    this.#partitionsChanged(partition.state);
  }

  /** As the configuration wants it; there are never fewer than there were. */
  async #growTo(home: Partition<TaskState>, partitions: number): Promise<void> {
    if (hostedOf(home.state) >= partitions) return;
    const op = 'partitions.grow';
    await home.ask({ op, id: op, project: '', actor: ACTOR, input: { partitions } });
  }

  async #closed(): Promise<void> {
    this.#watched.open = false;
    this.#grow?.stop();
    await this.#others?.stop();
    this.#grow = null;
    this.#others = null;
  }

  #partitionsChanged(state: TaskState): void {
    if (this.#options.number === HOME) this.#options.onHosted(hostedOf(state));
    if (rowOf(state).followed !== undefined) this.#others?.start();
    this.#grow?.consider();
  }

  /** Finished tasks of this partition, and outlines of those of others. */
  async #fetch(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const { number } = this.#options;
    const found = await Promise.all(
      [...new Set(ids.map(partitionOfId))].map((partition) => {
        const some = ids.filter((id) => partitionOfId(id) === partition);
        return partition === number ? this.#finished(some) : this.#outlines(partition, some);
      }),
    );
    return new Map(found.flatMap((some) => [...some]));
  }

  #finished(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    return this.#options.finished(ids, this.host.partition?.position.seq ?? 0);
  }

  async #outlines(
    partition: number,
    taskIds: readonly string[],
  ): Promise<ReadonlyMap<string, unknown>> {
    const { calls, map } = this.#options;
    if (!(await map.has(partition))) return new Map();
    const input = { partition, taskIds: [...taskIds] };
    const { output } = await calls.call(outlineTasks, input, { project: '', actor: ACTOR });
    return new Map(output.tasks.map((task) => [task.taskId, task]));
  }
}
