import type { Clock, Timers } from '@athena/event-log';
import { PRESENCE_SWEEP_MS, SESSION_ENDS_PER_SWEEP_MAX } from '../domain/limits.js';
import type { PresenceBook } from '../domain/presence.js';
import { keyOf } from '../domain/registry-state.js';
import type { OwnedRegistry } from './owned-registry.js';

/** A look that comes so much later than planned means that this process stood still. */
const STALL_MS = 3 * PRESENCE_SWEEP_MS;

export interface SilenceWatchOptions {
  readonly registry: OwnedRegistry;
  readonly book: PresenceBook;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Whether agents can be heard now. */
  readonly connected: () => boolean;
}

/** Ends the sessions of agents that were silent for too long, by this owner's own ears. */
export class SilenceWatch {
  readonly #options: SilenceWatchOptions;
  #lookedAt: number;
  #cancel: () => void = () => undefined;

  constructor(options: SilenceWatchOptions) {
    this.#options = options;
    this.#lookedAt = options.clock.now();
  }

  start(): void {
    this.#lookedAt = this.#options.clock.now();
    this.#plan();
  }

  stop(): void {
    this.#cancel();
  }

  #plan(): void {
    this.#cancel = this.#options.timers.after(PRESENCE_SWEEP_MS, () => {
      this.#look();
      this.#plan();
    });
  }

  #look(): void {
    const { registry, book, clock, connected } = this.#options;
    const now = clock.now();
    const stalled = now - this.#lookedAt > STALL_MS;
    this.#lookedAt = now;
    if (stalled || !connected()) return book.restart(now);
    let ends = 0;
    for (const agent of registry.state?.agents.values() ?? []) {
      if (agent.registration?.presence !== 'present') continue;
      if (book.standing(keyOf(agent), now) !== 'silent') continue;
      void registry.end(agent, agent.registration.session, 'silent');
      if (++ends >= SESSION_ENDS_PER_SWEEP_MAX) return;
    }
  }
}
