import { clientId } from '@athena/contracts';
import type { Clock } from '@athena/event-log';
import { CONTACT_SUBJECT } from '@athena/operation';
import type { Bus, BusSubscription } from '@athena/service-kit/wire';
import { z } from 'zod';
import type { PresenceBook } from '../domain/presence.js';
import { findMember, keyOf } from '../domain/registry-state.js';
import type { OwnedRegistry } from './owned-registry.js';

const contacts = z.object({ agents: z.array(z.tuple([clientId, clientId])) });

export interface ContactListenerOptions {
  readonly nats: Bus;
  readonly registry: OwnedRegistry;
  readonly book: PresenceBook;
  readonly clock: Clock;
  /** A message that can't be read; it comes from a process of ours. */
  readonly onUnreadable?: (error: unknown) => void;
}

/** Hears from the doors of all services which agents made contact there. */
export class ContactListener {
  readonly #options: ContactListenerOptions;
  readonly #subscription: BusSubscription;

  constructor(options: ContactListenerOptions) {
    this.#options = options;
    this.#subscription = options.nats.subscribe(CONTACT_SUBJECT, {
      callback: (error, message) => {
        if (!error) this.#hear(message.string());
      },
    });
  }

  stop(): void {
    this.#subscription.unsubscribe();
  }

  #hear(text: string): void {
    const { registry, book, clock, onUnreadable } = this.#options;
    const { state } = registry;
    if (!state) return;
    const parsed = contacts.safeParse(parse(text));
    if (!parsed.success) return onUnreadable?.(parsed.error);
    const now = clock.now();
    for (const [project, agentId] of parsed.data.agents) {
      const agent = { project, agentId };
      const member = findMember(state, agent);
      if (member?.presence === 'present') book.contact(keyOf(agent), now);
      if (member?.presence === 'away') void registry.returned(agent);
    }
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
