import type { Clock, Timers } from '@athena/event-log';
import type { AgentKey } from '../domain/happened.js';
import { DISCONNECT_CHECKS_MAX } from '../domain/limits.js';
import type { PresenceBook } from '../domain/presence.js';
import { findMember, keyOf } from '../domain/registry-state.js';
import type { OwnedRegistry } from './owned-registry.js';
import type { SystemAccount } from './system-account.js';

/** A look that comes so much later than planned means that this process stood still. */
const STALL_MS = 3_000;

export interface DisconnectWatchOptions {
  readonly system: Pick<SystemAccount, 'onDisconnect' | 'isConnected'>;
  readonly registry: OwnedRegistry;
  readonly book: PresenceBook;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly onError?: (error: unknown) => void;
}

/**
 * Notices dead agents fast: an agent whose last connection closed, and which neither came back
 * nor was heard from within AGENT_RECONNECT_MS, has no session any more. A process that was killed
 * closes its connections at once; silence would take AGENT_PRESENCE_MS to tell.
 */
export class DisconnectWatch {
  readonly #options: DisconnectWatchOptions;
  readonly #planned = new Set<() => void>();
  #checks = 0;
  #stopped = false;

  constructor(options: DisconnectWatchOptions) {
    this.#options = options;
    options.system.onDisconnect((agent) => this.#closed(agent));
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#planned) cancel();
    this.#planned.clear();
  }

  #closed(agent: AgentKey): void {
    const { book, clock, timers } = this.#options;
    if (this.#stopped || !this.#isClaiming(agent)) return;
    const closedAt = clock.now();
    const waitMs = book.closed(keyOf(agent), closedAt);
    const cancel = timers.after(waitMs, () => {
      this.#planned.delete(cancel);
      // Whoever stood still could not hear the agent come back; silence will tell.
      if (clock.now() - closedAt - waitMs > STALL_MS) return;
      void this.#check(agent, closedAt).catch((error: unknown) => this.#options.onError?.(error));
    });
    this.#planned.add(cancel);
  }

  async #check(agent: AgentKey, closedAt: number): Promise<void> {
    const { system, book } = this.#options;
    const isStill = (): boolean =>
      !this.#stopped && book.isClosedSince(keyOf(agent), closedAt) && this.#isClaiming(agent);
    if (!isStill() || this.#checks >= DISCONNECT_CHECKS_MAX) return;
    this.#checks++;
    try {
      const connected = await system.isConnected(agent);
      if (!connected && isStill()) await this.#end(agent);
    } finally {
      this.#checks--;
    }
  }

  async #end(agent: AgentKey): Promise<void> {
    const { registry, book, clock } = this.#options;
    const session = this.#member(agent)?.session;
    if (session === undefined) return;
    book.flapped(keyOf(agent), clock.now());
    await registry.end(agent, session, 'disconnected');
  }

  /** Agents that poll live by their contacts alone. */
  #isClaiming(agent: AgentKey): boolean {
    const member = this.#member(agent);
    return member?.mode === 'claim' && member.presence === 'present';
  }

  #member(agent: AgentKey): ReturnType<typeof findMember> {
    const { state } = this.#options.registry;
    return state ? findMember(state, agent) : undefined;
  }
}
