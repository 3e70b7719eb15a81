import { systemTimers, type Timers } from '@athena/event-log';
import { CONTACT_SUBJECT } from '@athena/operation';
import type { Bus } from './bus.js';

export const CONTACT_INTERVAL_MS = 1_000;
/** Agents named in one message. */
const AGENTS_PER_MESSAGE_MAX = 2_000;

/** Gathers which agents were heard from, and tells the registry at most once a second. */
export class Contacts {
  readonly #nats: Bus;
  readonly #timers: Timers;
  #agents = new Map<string, readonly [project: string, agentId: string]>();
  #cancel: (() => void) | null = null;

  constructor(nats: Bus, timers: Timers = systemTimers) {
    this.#nats = nats;
    this.#timers = timers;
  }

  add(project: string, agentId: string): void {
    this.#agents.set(`${project} ${agentId}`, [project, agentId]);
    this.#cancel ??= this.#timers.after(CONTACT_INTERVAL_MS, () => this.publish());
  }

  /** Publishes what was gathered now. */
  publish(): void {
    this.#cancel?.();
    this.#cancel = null;
    const agents = [...this.#agents.values()];
    this.#agents = new Map();
    // While the connection is down a contact is out of date before it could be told.
    if (this.#nats.isClosed() || this.#nats.isDraining()) return;
    for (let from = 0; from < agents.length; from += AGENTS_PER_MESSAGE_MAX) {
      const some = agents.slice(from, from + AGENTS_PER_MESSAGE_MAX);
      this.#nats.publish(CONTACT_SUBJECT, JSON.stringify({ agents: some }));
    }
  }
}
