import { limits } from '@athena/contracts';
import type { Agent, Cancellation } from './agent.js';

/** What each agent is told of its cancelled tasks: for a while, or until it says that it heard. */
export class CancelledNews {
  readonly #told = new WeakSet<Cancellation>();
  readonly #since: () => number;

  /** @param since from when on agents could ask here; time before does not count against them */
  constructor(since: () => number) {
    this.#since = since;
  }

  tell(agent: Agent, now: number): string[] {
    const news = this.#of(agent, now);
    for (const one of news) this.#told.add(one);
    return news.map(({ taskId }) => taskId);
  }

  /** Whether there is something that no answer has named yet. */
  hasUntold(agent: Agent, now: number): boolean {
    return this.#of(agent, now).some((one) => !this.#told.has(one));
  }

  heard(agent: Agent, taskIds: readonly string[]): void {
    if (taskIds.length === 0) return;
    const heard = new Set(taskIds);
    agent.cancelled = agent.cancelled.filter(({ taskId }) => !heard.has(taskId));
  }

  #of({ cancelled }: Agent, now: number): Cancellation[] {
    if (cancelled.length === 0) return [];
    const since = this.#since();
    return cancelled.filter(({ at }) => now - Math.max(at, since) < limits.CANCELLED_TOLD_MS);
  }
}
