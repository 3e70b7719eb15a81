import {
  createTaskChunk,
  createTasks,
  type BatchItemResult,
  type NewTask,
} from '@athena/contracts';
import type { Clock, Ids } from '@athena/event-log';
import { fingerprintOf, newAggregateId, withPartition, type Input } from '@athena/operation';
import type { Caller, OperationCaller, ServiceHandler } from '../calling.js';
import type { TaskPartitions } from '../task-partitions.js';
import { chunksOf, groupsOf, planBatch, type BatchItem, type BatchPlan } from './batch-plan.js';

type ChunkItem = Input<typeof createTaskChunk>['items'][number];

const ID_RANDOM_BYTES = 8;

export interface CreateTasksPorts {
  readonly operations: OperationCaller;
  readonly partitions: Pick<TaskPartitions, 'forNew' | 'byKey'>;
  readonly clock: Clock;
  readonly ids: Ids;
}

/**
 * task.createBatch: puts ids in the place of refs, orders the items so that dependencies come
 * first, and hands them to the partitions chunk by chunk; each chunk is atomic. Items that hang
 * together go to one partition, all items of a batch with a key to that of the key.
 */
export const createTasksHandler = (
  ports: CreateTasksPorts,
): ServiceHandler<typeof createTasks> => ({
  operation: createTasks,
  async handle(input, caller) {
    const batch = new Batch(ports, input, caller);
    await (input.idempotencyKey === undefined ? batch.spread() : batch.byKey(input.idempotencyKey));
    const { results, seq } = batch;
    const taskIds = results.map((result) => ('taskId' in result ? result.taskId : null));
    return { output: { taskIds, results, seq }, seq };
  },
});

class Batch {
  readonly results: BatchItemResult[];
  /** The furthest position of its chunks. */
  seq = 0;
  readonly #ports: CreateTasksPorts;
  readonly #caller: Caller;
  readonly #tasks: readonly BatchItem[];
  readonly #plan: BatchPlan;
  /** Proposed until the item is created; then the recorded ones. */
  readonly #ids: string[];

  constructor(ports: CreateTasksPorts, { tasks }: Input<typeof createTasks>, caller: Caller) {
    this.#ports = ports;
    this.#caller = caller;
    this.#tasks = tasks;
    this.#plan = planBatch(tasks);
    const { clock, ids } = ports;
    this.#ids = tasks.map(() => newAggregateId(clock.now(), 0, ids.random(ID_RANDOM_BYTES)));
    this.results = new Array<BatchItemResult>(tasks.length);
    for (const [index, refusal] of this.#plan.refusals) this.results[index] = { refusal };
  }

  /** Every group of items to a partition of its own choice. */
  async spread(): Promise<void> {
    const byPartition = new Map<number, number[]>();
    for (const group of groupsOf(this.#tasks, this.#plan)) {
      const partition = await this.#ports.partitions.forNew(this.#existing(group));
      const order = byPartition.get(partition);
      if (order) order.push(...group);
      else byPartition.set(partition, group);
    }
    await Promise.all(
      [...byPartition].map(async ([partition, order]) => {
        for (const chunk of chunksOf(order, this.#tasks)) await this.#create(chunk, partition);
      }),
    );
  }

  /** Chunk for chunk, since the key may have been used in another partition before. */
  async byKey(key: string): Promise<void> {
    for (const chunk of chunksOf(this.#plan.order, this.#tasks)) {
      await this.#ports.partitions.byKey(this.#caller, key, (partition) =>
        this.#create(chunk, partition, key),
      );
    }
  }

  async #create(chunk: readonly number[], partition: number, key?: string): Promise<void> {
    for (const index of chunk) {
      this.#ids[index] = withPartition(this.#ids[index] as string, partition);
    }
    const items = chunk.map((index) => this.#item(index, key));
    // The first task's id names the chunk, so that a repeat of the chunk is recognised.
    const caller = { ...this.#caller, id: this.#ids[chunk[0] as number] as string };
    const input = { partition, items };
    const { output, seq } = await this.#ports.operations.call(createTaskChunk, input, caller);
    this.seq = Math.max(this.seq, seq);
    output.results.forEach((result, position) => {
      const index = chunk[position] as number;
      this.results[index] = result;
      if ('taskId' in result) this.#ids[index] = result.taskId;
    });
  }

  #item(index: number, key: string | undefined): ChunkItem {
    const taskId = this.#ids[index] as string;
    const { ref: _, dependencies, ...own } = this.#tasks[index] as BatchItem;
    const task: NewTask = { ...own, dependencies: dependencies.map((one) => this.#idOf(one)) };
    if (key === undefined) return { taskId, task };
    const fingerprint = fingerprintOf(this.#tasks[index]);
    return { taskId, task, idempotency: { key: `${key}#${index}`, fingerprint } };
  }

  #idOf(dependency: BatchItem['dependencies'][number]): string {
    if (typeof dependency === 'string') return dependency;
    return this.#ids[this.#plan.byRef.get(dependency.ref) as number] as string;
  }

  /** Tasks that were there before, on which the group depends. */
  #existing(group: readonly number[]): string[] {
    return group.flatMap((index) =>
      (this.#tasks[index] as BatchItem).dependencies.filter((one) => typeof one === 'string'),
    );
  }
}
