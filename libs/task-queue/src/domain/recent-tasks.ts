import type { Task } from './state.js';

/** How many finished tasks are kept at hand. */
export const RECENT_TASKS_MAX = 10_000;

/** What finished last, as it stood then: a ring, beside which a map finds tasks by id. */
export class RecentTasks {
  readonly #byId = new Map<string, Task>();
  readonly #ring: string[] = [];
  #next = 0;

  get(id: string): Task | undefined {
    return this.#byId.get(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  values(): IterableIterator<Task> {
    return this.#byId.values();
  }

  /** Adds one; returns the id that had to go for it. */
  add(task: Task): string | undefined {
    const forgotten = this.#ring[this.#next];
    if (forgotten !== undefined) this.#byId.delete(forgotten);
    this.#ring[this.#next] = task.id;
    this.#next = (this.#next + 1) % RECENT_TASKS_MAX;
    this.#byId.set(task.id, task);
    return forgotten;
  }
}
