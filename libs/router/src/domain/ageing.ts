import { limits } from '@athena/contracts';
import type { Rank, Task } from './task.js';

/** How exactly tasks age. */
const SLICE_MS = 1_000;
/** Tasks that age in one pass; the others follow in the next. */
export const AGED_PER_PASS_MAX = 10_000;

/**
 * Ready for AGEING_MS a task counts as of the next higher class, so that it waits at most twice as
 * long for tasks that are more urgent but came later. Tasks lie in slices of time by when they
 * age: each is looked at then, and not before.
 */
export class Ageing {
  readonly #due = new Map<number, Set<Task>>();
  #slice = 0;
  #behind = false;

  /** The task is ready: of which class it counts by now. */
  add(task: Task): void {
    let { rank } = task;
    while (rank > 0 && sliceOf(task, rank) <= this.#slice) rank = (rank - 1) as Rank;
    task.agedRank = rank;
    if (rank === 0) return;
    const slice = sliceOf(task, rank);
    task.ageSlice = slice;
    const tasks = this.#due.get(slice);
    if (tasks) tasks.add(task);
    else this.#due.set(slice, new Set([task]));
  }

  remove(task: Task): void {
    const { ageSlice } = task;
    if (ageSlice === 0) return;
    task.ageSlice = 0;
    const tasks = this.#due.get(ageSlice);
    tasks?.delete(task);
    if (tasks?.size === 0) this.#due.delete(ageSlice);
  }

  /** The tasks that have aged; each has to be removed and added again. */
  *aged(now: number): Generator<Task> {
    const slice = Math.floor(now / SLICE_MS);
    if (slice <= this.#slice && !this.#behind) return;
    this.#slice = Math.max(this.#slice, slice);
    this.#behind = true;
    let left = AGED_PER_PASS_MAX;
    for (const [due, tasks] of this.#due) {
      if (due > this.#slice) continue;
      for (const task of tasks) {
        if (left-- === 0) return;
        yield task;
      }
    }
    this.#behind = false;
  }
}

/** When a task of this class (by now) counts as of the next higher one. */
const sliceOf = ({ rank, offeredAt }: Task, aged: Rank): number =>
  Math.ceil((offeredAt + (rank - aged + 1) * limits.AGEING_MS) / SLICE_MS);
