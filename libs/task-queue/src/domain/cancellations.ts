import { limits } from '@athena/contracts';
import { addTo, removeFrom } from './state.js';

/** How many cancelled tasks are kept at hand. */
export const CANCELLATIONS_MAX = 10_000;

/**
 * Tasks that were cancelled while an agent had them, to tell it when it reports on others. A cache
 * of what just happened, as `recent` is: the router, whose fold has all of it, tells it too.
 */
export class Cancellations {
  /** Oldest first. */
  readonly #byTask = new Map<string, { readonly holder: string; readonly at: number }>();
  readonly #byHolder = new Map<string, Set<string>>();

  add(holder: string, taskId: string, at: number): void {
    this.#byTask.set(taskId, { holder, at });
    addTo(this.#byHolder, holder, taskId);
    for (const [id, oldest] of this.#byTask) {
      if (this.#byTask.size <= CANCELLATIONS_MAX && isTold(oldest.at, at)) return;
      this.#byTask.delete(id);
      removeFrom(this.#byHolder, oldest.holder, id);
    }
  }

  /** Those that the holder is to be told of now, the latest where there are many. */
  of(holder: string, now: number): string[] {
    const ids = [...(this.#byHolder.get(holder) ?? [])];
    return ids
      .filter((id) => isTold(this.#byTask.get(id)?.at ?? -Infinity, now))
      .slice(-limits.CANCELLED_KEPT_MAX);
  }
}

const isTold = (at: number, now: number): boolean => now - at < limits.CANCELLED_TOLD_MS;
