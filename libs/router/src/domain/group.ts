import type { Agent } from './agent.js';
import { Heap } from './heap.js';
import type { Pool } from './policy.js';
import type { Concurrency, Rate } from './quota.js';
import type { RequirementSet } from './requirement-set.js';
import type { Task } from './task.js';
import type { Terms } from './terms.js';
import type { Line, ProjectTurn, Turn } from './turn.js';

const older = (a: Task, b: Task): boolean => a.born < b.born;

/**
 * Waiting tasks that are alike to the policy: same type and requirements, same agents kept away,
 * same partition, same keys. What holds for its first task holds for all, so none of the others is
 * looked at.
 */
export class Group implements Pool {
  readonly key: string;
  readonly set: RequirementSet;
  readonly partition: number;
  readonly taskType: string;
  readonly excluded: readonly string[];
  readonly avoided: readonly string[];
  readonly terms: Terms | null;
  readonly project: ProjectTurn;
  readonly turn: Turn;
  /** Where those of its partition and set stand. */
  readonly home: Line;
  slot = -1;
  /**
   * Where it stands: at home, or with those that wait for a quota; null: nobody can take it,
   * or it is paused.
   */
  line: Line | null = null;
  quota: Concurrency | Rate | null = null;
  /** Rank and age of the first task. */
  rank = Infinity;
  born = Infinity;
  readonly #lines = [new Heap(older), new Heap(older), new Heap(older)] as const;

  constructor(key: string, task: Task, project: ProjectTurn, home: Line) {
    this.key = key;
    this.set = task.set;
    this.partition = task.partition;
    this.taskType = task.taskType;
    this.excluded = task.excluded;
    this.avoided = task.avoided;
    this.terms = task.terms;
    this.project = project;
    this.home = home;
    this.turn = project.of(task.terms?.fairnessKey ?? null);
  }

  get head(): this {
    return this;
  }
  get members(): readonly Agent[] {
    return this.set.members;
  }
  get size(): number {
    return this.#lines[0].size + this.#lines[1].size + this.#lines[2].size;
  }
  /** Strictly by class, then the oldest. */
  get first(): Task | undefined {
    return this.#lines[0].first ?? this.#lines[1].first ?? this.#lines[2].first;
  }
  add(task: Task): void {
    this.#lines[task.agedRank].add(task);
    this.#noteFirst();
  }
  remove(task: Task): void {
    this.#lines[task.agedRank].remove(task);
    this.#noteFirst();
  }

  #noteFirst(): void {
    const { first } = this;
    this.rank = first?.agedRank ?? Infinity;
    this.born = first?.born ?? Infinity;
  }
}

/** Agents kept away in a fixed order, so that equal tasks meet in one group. */
export function groupKeyOf({ partition, taskType, excluded, avoided, terms }: Task): string {
  const kind = `${partition}\n${taskType}`;
  if (excluded.length === 0 && avoided.length === 0 && !terms) return kind;
  const away = `${kind}\n${excluded.join(' ')}\n${avoided.join(' ')}`;
  return terms ? `${away}\n${terms.signature}` : away;
}
