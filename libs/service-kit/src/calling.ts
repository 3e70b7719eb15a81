import type { Actor, Input, Operation, Output } from '@athena/operation';

/** On whose behalf an operation is called. */
export interface Caller {
  readonly project: string;
  readonly actor: Actor;
  readonly correlation?: string;
  /** The command's id; the same for every repeat. Absent: a new one is made. */
  readonly id?: string;
  /** How long to repeat until an owner answers; default COMMAND_BUDGET_MS. */
  readonly budgetMs?: number;
}

export interface Called<T> {
  readonly output: T;
  /** Log position that the answer reflects. */
  readonly seq: number;
}

/**
 * Calls operations over NATS, to the partition's owner or to any process of the service. Calls
 * issued together for one addressee travel as one message. Repeats with the same command id on
 * NOT_OWNER, on answers of an older epoch and on silence, until the budget is spent.
 */
export interface OperationCaller {
  /** `input` is trusted here: it was checked against the schema at the edge.
   * @throws Refused */
  call<T extends Operation>(
    operation: T,
    input: Input<T>,
    caller: Caller,
  ): Promise<Called<Output<T>>>;
}

/** What a service's process does with one operation that is addressed to the service. */
export interface ServiceHandler<T extends Operation = Operation> {
  readonly operation: T;
  /** @throws Refused */
  handle(
    input: Input<T>,
    caller: Required<Pick<Caller, 'project' | 'actor' | 'id'>> & Caller,
  ): Promise<Called<Output<T>>>;
}
