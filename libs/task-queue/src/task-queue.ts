import { limits, queryTasks, queueMetrics } from '@athena/contracts';
import { systemClock, systemIds } from '@athena/event-log';
import type { EventLog, Lease, StateStore } from '@athena/event-log';
import {
  ProjectionRunner,
  TableModel,
  orUnavailable,
  type ProjectionObserver,
} from '@athena/projection';
import {
  AgentDoor,
  Contacts,
  PartitionHost,
  ServiceEndpoint,
  type EdgeObserver,
  type HostedService,
  type OperationCaller,
  type PartitionHostObserver,
  type ServiceHandler,
} from '@athena/service-kit';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import { taskVerbs } from './agent-verbs.js';
import { taskDecider } from './domain/decider.js';
import type { TaskState } from './domain/state.js';
import { createTasksHandler } from './operations/create-tasks.js';
import { tasks } from './projections/tasks.js';
import { findTasks } from './queries/find-tasks.js';
import { queryTasks as readTasks } from './queries/query-tasks.js';
import { queueMetrics as readMetrics } from './queries/queue-metrics.js';
import { WatchedTasks, type TaskObserver } from './watched-tasks.js';

export const SERVICE = 'task-queue';
/** The one task partition; ids carry its number. */
const PARTITION = 0;
export const PARTITION_NAME = `task.${PARTITION}`;

export interface TaskQueueObserver {
  readonly host: PartitionHostObserver;
  readonly projection: ProjectionObserver;
  readonly edge: EdgeObserver;
  readonly tasks: TaskObserver;
  /** What failed that is no refusal. */
  readonly failed: (error: unknown, where: string) => void;
}

export interface TaskQueueOptions {
  /** Of account CORE. */
  readonly nats: NatsConnection;
  readonly log: EventLog;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly store: StateStore;
  readonly pool: Pool;
  readonly projectionPool: Pool;
  readonly lease: Lease;
  readonly owner: string;
  readonly calls: OperationCaller;
  readonly observer: TaskQueueObserver;
}

/** One process of the task queue: owner or standby of `task.0`, its read model, its doors. */
export class TaskQueue implements HostedService {
  readonly #options: TaskQueueOptions;
  readonly #contacts: Contacts;
  readonly #watched: WatchedTasks;
  readonly #host: PartitionHost<TaskState>;
  readonly #tasks: ProjectionRunner;
  #doors: readonly { close(): Promise<void> }[] = [];

  constructor(options: TaskQueueOptions) {
    this.#options = options;
    this.#contacts = new Contacts(options.nats);
    const onContact = (project: string, agentId: string): void =>
      this.#contacts.add(project, agentId);
    const decider = taskDecider({ partition: PARTITION, onContact });
    this.#watched = new WatchedTasks(decider, options.observer.tasks);
    this.#host = this.#makeHost();
    this.#tasks = new ProjectionRunner({
      pool: options.projectionPool,
      log: options.log,
      feed: options.feed,
      model: new TableModel(tasks),
      observer: options.observer.projection,
    });
  }

  /** Live tasks of this process's partition by status. */
  get counts(): Readonly<Record<string, number>> {
    return this.#host.partition ? this.#watched.counts : {};
  }

  get projections(): readonly ProjectionRunner[] {
    return [this.#tasks];
  }

  get parts(): readonly PartitionHost<TaskState>[] {
    return [this.#host];
  }

  start(): void {
    const { nats, calls, observer } = this.#options;
    this.#host.start();
    this.#tasks.start().catch((error: unknown) => observer.failed(error, 'projection tasks'));
    this.#doors = [
      new ServiceEndpoint({
        nats,
        service: SERVICE,
        handlers: this.#handlers(),
        onError: (error, { op }) => observer.failed(error, op),
      }),
      new AgentDoor({
        nats,
        queue: SERVICE,
        verbs: taskVerbs(calls),
        contacts: this.#contacts,
        observer: observer.edge,
      }),
    ];
  }

  /** Takes nothing new, answers what it has, stores the state, gives the lease up. */
  async stop(): Promise<void> {
    await Promise.all(this.#doors.map((door) => door.close()));
    await this.#host.close();
    this.#contacts.publish();
    await this.#tasks.stop();
  }

  #makeHost(): PartitionHost<TaskState> {
    const { nats, log, feed, store, lease, owner, observer } = this.#options;
    return new PartitionHost({
      nats,
      aggregate: 'task',
      number: PARTITION,
      decider: this.#watched.decider,
      log,
      feed,
      store,
      lease,
      owner,
      fetch: (ids) => this.#fetch(ids),
      onOpen: () => void (this.#watched.open = true),
      onClose: () => void (this.#watched.open = false),
      observer: observer.host,
    });
  }

  /** Finished tasks; the read model must have seen everything that the partition has. */
  async #fetch(ids: readonly string[]): Promise<ReadonlyMap<string, unknown>> {
    const seq = this.#host.partition?.position.seq ?? 0;
    await this.#tasks.waitFor(seq, limits.MIN_SEQ_WAIT_MS_MAX);
    return findTasks(this.#options.pool, ids);
  }

  #handlers(): readonly ServiceHandler[] {
    const { calls, pool } = this.#options;
    const ports = { operations: calls, clock: systemClock, ids: systemIds, partition: PARTITION };
    const query: ServiceHandler<typeof queryTasks> = {
      operation: queryTasks,
      handle: async (input, { project }) =>
        this.#read(input.minSeq, () => readTasks(pool, project, input)),
    };
    const metrics: ServiceHandler<typeof queueMetrics> = {
      operation: queueMetrics,
      handle: async (input, { project }) =>
        this.#read(input.minSeq, () => readMetrics(pool, project, systemClock.now())),
    };
    return [createTasksHandler(ports), query, metrics];
  }

  async #read<T>(
    minSeq: number | undefined,
    read: () => Promise<T>,
  ): Promise<{ output: T; seq: number }> {
    if (minSeq !== undefined) await this.#tasks.waitFor(minSeq, limits.MIN_SEQ_WAIT_MS_MAX);
    const seq = await orUnavailable(this.#tasks.reached());
    return { output: await read(), seq };
  }
}
