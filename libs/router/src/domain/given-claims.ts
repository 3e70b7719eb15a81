import type { Agent } from './agent.js';
import type { ReplyToClaim } from './claim-book.js';

/** A claim that comes so much later than the fold of its tasks is still recognised. */
export const LATE_CLAIM_MS = 2_000;
/** How often it is looked for claims whose tasks were taken up. */
const SWEEP_INTERVAL_MS = 250;

export interface GivenClaim {
  readonly agent: Agent;
  readonly claimId: string;
  /** Milliseconds; then nobody waits for the answer any more. */
  until: number;
  /** Null: the log told of the tasks before the claim arrived here. */
  reply: ReplyToClaim | null;
}

/**
 * Claims that the active router has given tasks to, as a standby sees them. It can't see whether
 * the answer left before that router died: until the tasks are taken up, somebody may wait for it.
 */
export class GivenClaims {
  readonly #byAgent = new Map<Agent, Map<string, GivenClaim>>();
  #sweptAt = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(agent: Agent, claimId: string): boolean {
    return this.#byAgent.get(agent)?.has(claimId) ?? false;
  }

  /** Tasks were given to the claim; `reply` and `until` where somebody waits here. */
  add(given: GivenClaim): void {
    const { agent, claimId, until, reply } = given;
    const claims = this.#byAgent.get(agent) ?? new Map<string, GivenClaim>();
    const known = claims.get(claimId);
    if (known) {
      known.until = Math.max(known.until, until);
      if (!reply) return;
      known.reply?.(null);
      known.reply = reply;
      return;
    }
    claims.set(claimId, given);
    this.#byAgent.set(agent, claims);
    this.#size++;
  }

  /** All of them; they are somebody else's to answer now. */
  takeAll(): GivenClaim[] {
    const all = [...this.#byAgent.values()].flatMap((claims) => [...claims.values()]);
    this.#byAgent.clear();
    this.#size = 0;
    return all;
  }

  /** Whoever waits in the agent's name may be gone, or has been told. */
  forget(agent: Agent): void {
    for (const { claimId } of this.#byAgent.get(agent)?.values() ?? []) this.#end(agent, claimId);
  }

  /** Forgets those whose time is over, or whose tasks were taken up. */
  sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_INTERVAL_MS) return;
    this.#sweptAt = now;
    for (const [agent, claims] of this.#byAgent) {
      for (const { claimId, until, reply } of claims.values()) {
        const takenUp = reply !== null && !agent.hasToStart(claimId);
        if (takenUp || until <= now) this.#end(agent, claimId);
      }
    }
  }

  #end(agent: Agent, claimId: string): void {
    const claims = this.#byAgent.get(agent);
    const given = claims?.get(claimId);
    if (!claims || !given) return;
    claims.delete(claimId);
    if (claims.size === 0) this.#byAgent.delete(agent);
    this.#size--;
    given.reply?.(null);
  }
}
