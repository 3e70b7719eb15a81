import { limits, outlineTasks } from '@athena/contracts';
import { systemTimers, type Partition } from '@athena/event-log';
import type { ProjectionRunner } from '@athena/projection';
import { partitionOfId } from '@athena/operation';
import { PartitionHost, type Contacts } from '@athena/service-kit';
import { taskDecider } from './domain/decider.js';
import { HOME, hostedOf } from './domain/partitions.js';
import { rowOf, type TaskState } from './domain/state.js';
import { findTasks } from './queries/find-tasks.js';
import { FollowOthers } from './reactions/follow-others.js';
import { Grow } from './reactions/grow.js';
import type { TaskQueueOptions } from './task-queue.js';
import { WatchedTasks } from './watched-tasks.js';

const ACTOR = 'system:task-queue';

export interface TaskPartitionOptions extends TaskQueueOptions {
  readonly number: number;
  readonly contacts: Contacts;
  /** The read model, for what has finished. */
  readonly tasks: ProjectionRunner;
  /** So many partitions have to be hosted, as the first one knows. */
  readonly onHosted: (partitions: number) => void;
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
    const name = `task.${number}`;
    return new PartitionHost({
      nats,
      aggregate: 'task',
      number,
      decider: this.#watched.decider,
      log,
      feed,
      store,
      lease: lease(name),
      owner,
      fetch: (ids) => this.#fetch(ids),
      onOpen: (partition) => this.#opened(partition),
      onClose: () => this.#closed(),
      observer: observer.host(name),
    });
  }

  async #opened(partition: Partition<TaskState>): Promise<void> {
    const { feed, number, calls, observer, partitions } = this.#options;
    const failed = (where: string) => (error: unknown) => observer.failed(error, where);
    this.#watched.open = true;
    const timers = systemTimers;
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

  /** The read model must have seen everything that the partition has. */
  async #finished(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const { tasks, pool } = this.#options;
    await tasks.waitFor(this.host.partition?.position.seq ?? 0, limits.MIN_SEQ_WAIT_MS_MAX);
    return findTasks(pool, ids);
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
