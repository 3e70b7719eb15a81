import type { Agent } from './agent.js';
import { Heap, type Slotted } from './heap.js';
import type { Pool } from './policy.js';
import type { RequirementSet } from './requirement-set.js';
import type { Task } from './task.js';

const older = (a: Task, b: Task): boolean => a.born < b.born;

/**
 * Waiting tasks that are alike to the policy: same type and requirements, same agents kept away,
 * same partition. What holds for its first task holds for all, so none of the others is looked at.
 */
export class Group implements Slotted, Pool {
  readonly key: string;
  readonly set: RequirementSet;
  readonly partition: number;
  readonly taskType: string;
  readonly excluded: readonly string[];
  readonly avoided: readonly string[];
  slot = -1;
  /** Rank and age of the first task. */
  rank = Infinity;
  born = Infinity;
  readonly #lines = [new Heap(older), new Heap(older), new Heap(older)] as const;

  constructor(key: string, task: Task) {
    this.key = key;
    this.set = task.set;
    this.partition = task.partition;
    this.taskType = task.taskType;
    this.excluded = task.excluded;
    this.avoided = task.avoided;
  }

  get members(): readonly Agent[] {
    return this.set.members;
  }
  get size(): number {
    return this.#lines[0].size + this.#lines[1].size + this.#lines[2].size;
  }
  /** Strictly by priority, then the oldest. */
  get first(): Task | undefined {
    return this.#lines[0].first ?? this.#lines[1].first ?? this.#lines[2].first;
  }
  add(task: Task): void {
    this.#lines[task.rank].add(task);
    this.#noteFirst();
  }
  remove(task: Task): void {
    this.#lines[task.rank].remove(task);
    this.#noteFirst();
  }

  #noteFirst(): void {
    const { first } = this;
    this.rank = first?.rank ?? Infinity;
    this.born = first?.born ?? Infinity;
  }
}

/** Agents kept away in a fixed order, so that equal tasks meet in one group. */
export const groupKeyOf = (task: Task): string =>
  task.excluded.length === 0 && task.avoided.length === 0
    ? `${task.partition}\n${task.taskType}`
    : `${task.partition}\n${task.taskType}\n${task.excluded.join(' ')}\n${task.avoided.join(' ')}`;
