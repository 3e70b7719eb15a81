import { TASK_NOT_FOUND } from '@athena/contracts';
import type { Clock, Ids } from '@athena/event-log';
import {
  Refused,
  newAggregateId,
  partitionFor,
  withPartition,
  type Input,
  type Operation,
  type Output,
} from '@athena/operation';
import type { Called, Caller, OperationCaller } from './calling.js';
import type { TaskPartitions } from './task-partitions.js';

const ID_RANDOM_BYTES = 8;

export interface PartitionedCallerOptions {
  readonly operations: OperationCaller;
  readonly partitions: TaskPartitions;
  readonly clock: Clock;
  readonly ids: Ids;
}

/**
 * Chooses the partition of what is created, and refuses ids of partitions that there are not (they
 * would wait for an owner in vain).
 */
export class PartitionedCaller implements OperationCaller {
  readonly #options: PartitionedCallerOptions;

  constructor(options: PartitionedCallerOptions) {
    this.#options = options;
  }

  call<T extends Operation>(
    operation: T,
    input: Input<T>,
    caller: Caller,
  ): Promise<Called<Output<T>>> {
    const { to } = operation;
    if (!('partition' in to) || to.partition !== 'task')
      return this.#pass(operation, input, caller);
    if (to.creates) return this.#create(operation, input, caller);
    const { taskId } = input as { taskId?: string };
    const partition = taskId === undefined ? 0 : partitionFor(operation, '', input);
    if (partition === 0) return this.#pass(operation, input, caller);
    return this.#reach(operation, input, caller, partition);
  }

  #pass<T extends Operation>(
    operation: T,
    input: Input<T>,
    caller: Caller,
  ): Promise<Called<Output<T>>> {
    return this.#options.operations.call(operation, input, caller);
  }

  async #reach<T extends Operation>(
    operation: T,
    input: Input<T>,
    caller: Caller,
    partition: number,
  ): Promise<Called<Output<T>>> {
    if (await this.#options.partitions.has(partition)) return this.#pass(operation, input, caller);
    const { taskId } = input as { taskId: string };
    const detail = `no task ${taskId} in project ${caller.project}`;
    throw Refused.because(TASK_NOT_FOUND, detail, 'taskId');
  }

  async #create<T extends Operation>(
    operation: T,
    input: Input<T>,
    caller: Caller,
  ): Promise<Called<Output<T>>> {
    const { partitions, clock, ids } = this.#options;
    const proposed = caller.id ?? newAggregateId(clock.now(), 0, ids.random(ID_RANDOM_BYTES));
    const create = (partition: number): Promise<Called<Output<T>>> =>
      this.#pass(operation, input, { ...caller, id: withPartition(proposed, partition) });
    const { idempotencyKey, dependencies = [] } = input as {
      idempotencyKey?: string;
      dependencies?: readonly string[];
    };
    return idempotencyKey === undefined
      ? create(await partitions.forNew(dependencies))
      : partitions.byKey(caller, idempotencyKey, create);
  }
}
