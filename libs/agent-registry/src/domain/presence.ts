import { limits } from '@athena/contracts';
import { CONTACT_DELAY_MS_MAX } from './limits.js';

/** What an agent tells of itself with a heartbeat; the agent chooses the units. */
export interface LoadReport {
  readonly load?: number | undefined;
  readonly cpu?: number | undefined;
  readonly memory?: number | undefined;
  readonly network?: number | undefined;
}

interface Contact {
  /** null: not since this book was opened. */
  seenAt: number | null;
  report: LoadReport;
  /** When the agent's connection closed and no later contact was made. */
  closedAt: number | null;
  /** Sessions that ended by a closed connection, one soon after the other. */
  flaps: number;
  flappedAt: number;
}

const FLAPS_MAX = 10;
/** An agent that was restarted and then dies is no nuisance: its work goes on as soon as any. */
const FLAPS_FREE = 1;
const NO_REPORT: LoadReport = {};

/**
 * Who was heard from, and when. Volatile: only consequences of silence enter the log. Keys name
 * an agent in its project; every instant is handed in, milliseconds.
 */
export class PresenceBook {
  readonly #contacts = new Map<string, Contact>();
  #restartedAt: number;

  constructor(now: number) {
    this.#restartedAt = now;
  }

  /** Nobody is known; clocks start. For a new owner, who has heard nobody yet. */
  open(now: number): void {
    this.#contacts.clear();
    this.#restartedAt = now;
  }

  /** Time in which nobody could be heard does not count: every clock starts in full again. */
  restart(now: number): void {
    this.#restartedAt = now;
    for (const contact of this.#contacts.values()) contact.closedAt = null;
  }

  /** A session begins: the agent is there, what an earlier session reported is void. */
  begin(key: string, now: number): void {
    const contact = this.#of(key);
    contact.seenAt = now;
    contact.report = NO_REPORT;
    contact.closedAt = null;
  }

  /** The agent made contact; a report replaces the one before. */
  contact(key: string, now: number, report?: LoadReport): void {
    const contact = this.#of(key);
    contact.seenAt = now;
    if (report) contact.report = report;
    // Contacts come gathered: one that arrives at once may have been made before the close.
    if (contact.closedAt !== null && now - contact.closedAt > CONTACT_DELAY_MS_MAX) {
      contact.closedAt = null;
    }
  }

  forget(key: string): void {
    this.#contacts.delete(key);
  }

  /** null: not since the book was opened. */
  lastSeenAt(key: string): number | null {
    return this.#contacts.get(key)?.seenAt ?? null;
  }

  report(key: string): LoadReport {
    return this.#contacts.get(key)?.report ?? NO_REPORT;
  }

  /** late: heartbeats are overdue. silent: so long that the session is over. */
  standing(key: string, now: number): 'fresh' | 'late' | 'silent' {
    const quietMs = now - Math.max(this.lastSeenAt(key) ?? 0, this.#restartedAt);
    if (quietMs >= limits.AGENT_PRESENCE_MS) return 'silent';
    return quietMs >= limits.AGENT_DEGRADED_MS ? 'late' : 'fresh';
  }

  /**
   * A connection of the agent closed. Returns after how long to look whether it is gone: after a
   * few times longer and longer for an agent that comes and goes, so that it can't fill the log.
   */
  closed(key: string, now: number): number {
    const contact = this.#of(key);
    contact.closedAt = now;
    if (now - contact.flappedAt > 2 * limits.AGENT_PRESENCE_MS) contact.flaps = 0;
    const doublings = Math.max(0, contact.flaps - FLAPS_FREE);
    return Math.min(limits.AGENT_RECONNECT_MS * 2 ** doublings, limits.AGENT_PRESENCE_MS);
  }

  /** Whether nothing was heard since the connection closed at this instant. */
  isClosedSince(key: string, closedAt: number): boolean {
    return this.#contacts.get(key)?.closedAt === closedAt;
  }

  /** The session was ended because of the closed connection. */
  flapped(key: string, now: number): void {
    const contact = this.#of(key);
    contact.closedAt = null;
    contact.flaps = Math.min(contact.flaps + 1, FLAPS_MAX);
    contact.flappedAt = now;
  }

  #of(key: string): Contact {
    let contact = this.#contacts.get(key);
    if (!contact) {
      contact = { seenAt: null, report: NO_REPORT, closedAt: null, flaps: 0, flappedAt: -Infinity };
      this.#contacts.set(key, contact);
    }
    return contact;
  }
}
