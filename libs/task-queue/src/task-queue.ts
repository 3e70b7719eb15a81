import { countTasks, limits, queryTasks, queueMetrics } from '@athena/contracts';
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
  ServiceEndpoint,
  createTasksHandler,
  type EdgeObserver,
  type HostedService,
  type OperationCaller,
  type PartitionHost,
  type ServiceHandler,
  type TaskPartitions,
} from '@athena/service-kit';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import { taskVerbs } from './agent-verbs.js';
import { BulkJobs } from './bulk/bulk-jobs.js';
import { BulkWorker } from './bulk/bulk-worker.js';
import type { TaskState } from './domain/state.js';
import { bulkStatusHandler, bulkTasksHandler } from './operations/bulk-tasks.js';
import { tasks } from './projections/tasks.js';
import { countTasks as readCount } from './queries/count-tasks.js';
import { findTasks } from './queries/find-tasks.js';
import { queryTasks as readTasks } from './queries/query-tasks.js';
import { queueMetrics as readMetrics } from './queries/queue-metrics.js';
import { TaskPartition, type TaskPartitionObserver } from './task-partition.js';

export const SERVICE = 'task-queue';

export interface TaskQueueObserver extends TaskPartitionObserver {
  readonly projection: ProjectionObserver;
  readonly edge: EdgeObserver;
}

export interface TaskQueueOptions {
  /** Of account CORE. */
  readonly nats: NatsConnection;
  readonly log: EventLog;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly store: StateStore;
  readonly pool: Pool;
  readonly projectionPool: Pool;
  /** By the partition's name. */
  readonly lease: (partition: string) => Lease;
  /** So many partitions are wanted at least. */
  readonly partitions: number;
  /** What this process knows of them. */
  readonly map: TaskPartitions;
  readonly owner: string;
  readonly calls: OperationCaller;
  readonly observer: TaskQueueObserver;
}

/** One process of the task queue: its partitions, the read model, its doors. */
export class TaskQueue implements HostedService {
  readonly name = SERVICE;
  readonly #options: TaskQueueOptions;
  readonly #contacts: Contacts;
  readonly #tasks: ProjectionRunner;
  readonly #bulk: BulkWorker;
  /** By number. */
  readonly #partitions: TaskPartition[] = [];
  #state: 'made' | 'started' | 'stopping' = 'made';
  #doors: readonly { close(): Promise<void> }[] = [];

  constructor(options: TaskQueueOptions) {
    this.#options = options;
    this.#contacts = new Contacts(options.nats);
    this.#tasks = new ProjectionRunner({
      pool: options.projectionPool,
      log: options.log,
      feed: options.feed,
      model: new TableModel(tasks),
      observer: options.observer.projection,
    });
    this.#bulk = new BulkWorker({
      pool: options.pool,
      calls: options.calls,
      onFailure: (error) => options.observer.failed(error, 'bulk operations'),
    });
    this.#host(1);
  }

  /** Live tasks of this process's partitions by status. */
  get counts(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const { counts } of this.#partitions) {
      for (const [status, n] of Object.entries(counts)) sums[status] = (sums[status] ?? 0) + n;
    }
    return sums;
  }

  get projections(): readonly ProjectionRunner[] {
    return [this.#tasks];
  }

  get parts(): readonly PartitionHost<TaskState>[] {
    return this.#partitions.map(({ host }) => host);
  }

  start(): void {
    const { nats, calls, observer } = this.#options;
    this.#state = 'started';
    for (const { host } of this.#partitions) host.start();
    this.#tasks.start().catch((error: unknown) => observer.failed(error, 'projection tasks'));
    this.#bulk.start();
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
    await this.#bulk.stop();
    await Promise.all(this.#doors.map((door) => door.close()));
    this.#state = 'stopping';
    await Promise.all(this.#partitions.map(({ host }) => host.close()));
    this.#contacts.publish();
    await this.#tasks.stop();
  }

  /** Hosts so many partitions, beginning with those that are not hosted yet. */
  #host(partitions: number): void {
    while (this.#partitions.length < partitions && this.#state !== 'stopping') {
      const partition = new TaskPartition({
        ...this.#options,
        number: this.#partitions.length,
        contacts: this.#contacts,
        finished: (ids, minSeq) => this.#finished(ids, minSeq),
        onHosted: (wanted) => this.#host(wanted),
      });
      this.#partitions.push(partition);
      if (this.#state === 'started') partition.host.start();
    }
  }

  async #finished(ids: readonly string[], minSeq: number): Promise<ReadonlyMap<string, unknown>> {
    await this.#tasks.waitFor(minSeq, limits.MIN_SEQ_WAIT_MS_MAX);
    return findTasks(this.#options.pool, ids);
  }

  #handlers(): readonly ServiceHandler[] {
    const { calls, pool, map, log } = this.#options;
    const ports = { operations: calls, partitions: map, clock: systemClock, ids: systemIds };
    const query: ServiceHandler<typeof queryTasks> = {
      operation: queryTasks,
      handle: async (input, { project }) =>
        this.#read(input.minSeq, () => readTasks(pool, project, input)),
    };
    const count: ServiceHandler<typeof countTasks> = {
      operation: countTasks,
      handle: async (input, { project }) =>
        this.#read(input.minSeq, () => readCount(pool, project, input)),
    };
    const metrics: ServiceHandler<typeof queueMetrics> = {
      operation: queueMetrics,
      handle: async (input, { project }) =>
        this.#read(input.minSeq, () => readMetrics(pool, project, systemClock.now())),
    };
    const bulk = {
      jobs: new BulkJobs(pool),
      log,
      tasks: this.#tasks,
      onStarted: () => this.#bulk.soon(),
    };
    return [
      ...[createTasksHandler(ports), query, count, metrics],
      ...[bulkTasksHandler(bulk), bulkStatusHandler(bulk)],
    ];
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
