import type { ClaimedTask } from '@athena/contracts';
import type { Agent } from './agent.js';
import type { Fleet } from './fleet.js';
import { Heap, type Slotted } from './heap.js';

/** Open claims of one agent; one more, and its oldest is answered with nothing. */
export const CLAIMS_PER_AGENT_MAX = 64;
/** Tasks of one claim's answer, by their size in the log: the answer has to fit one message. */
export const CLAIM_BYTES_MAX = 512 * 1024;

/** A claim as it arrives. */
export interface NewClaim {
  readonly claimId: string;
  readonly capacity: number;
  /** Milliseconds; then it is answered with nothing. */
  readonly until: number;
  readonly reply: ReplyToClaim;
}

export interface ClaimAnswer {
  readonly tasks: readonly ClaimedTask[];
  readonly cancelled: readonly string[];
}

/** Called once; null: nobody is answered from here. */
export type ReplyToClaim = (answer: ClaimAnswer | null) => void;

/** A parked claim. */
export interface Claim extends Slotted {
  readonly agent: Agent;
  readonly claimId: string;
  readonly capacity: number;
  readonly arrivedAt: number;
  until: number;
  reply: ReplyToClaim;
  /** May be given placements: it is, for the rest of the pass that gave it the first. */
  open: boolean;
  /** Placements proposed for it since it was last open, and their bytes. */
  taken: number;
  bytes: number;
  /** Of those, the ones without outcome. */
  pending: number;
  readonly tasks: ClaimedTask[];
}

/** Called when a claim's wait is over; the claim has left the book. */
export type AnswerClaim = (claim: Claim, tasks: readonly ClaimedTask[]) => void;

/** The claims that wait. An agent's `credits` are the open capacity of its claims, always. */
export class ClaimBook {
  readonly #fleet: Fleet;
  readonly #answer: AnswerClaim;
  readonly #byAgent = new Map<Agent, Claim[]>();
  readonly #deadlines = new Heap<Claim>((a, b) => a.until < b.until);
  readonly #touched = new Set<Claim>();
  #size = 0;

  constructor(fleet: Fleet, answer: AnswerClaim) {
    this.#fleet = fleet;
    this.#answer = answer;
  }

  get size(): number {
    return this.#size;
  }

  *claims(): Iterable<Claim> {
    for (const claims of this.#byAgent.values()) yield* claims;
  }

  find(agent: Agent, claimId: string): Claim | undefined {
    return this.#byAgent.get(agent)?.find((claim) => claim.claimId === claimId);
  }

  /** A claim that waits already only learns where its answer goes now. */
  park(agent: Agent, claim: NewClaim, now: number): void {
    const known = this.find(agent, claim.claimId);
    if (known) return this.#again(known, claim);
    const claims = this.#byAgent.get(agent) ?? [];
    const parked: Claim = {
      ...claim,
      agent,
      arrivedAt: now,
      slot: -1,
      open: true,
      taken: 0,
      bytes: 0,
      pending: 0,
      tasks: [],
    };
    claims.push(parked);
    this.#byAgent.set(agent, claims);
    this.#deadlines.add(parked);
    this.#size++;
    this.#credit(agent, parked.capacity);
    if (claims.length > CLAIMS_PER_AGENT_MAX) this.#answerOldest(claims);
  }

  /** Takes one credit of the agent for a task of this size; null: it has none left now. */
  take(agent: Agent, bytes: number): Claim | null {
    for (const claim of this.#byAgent.get(agent) ?? []) {
      if (!claim.open) continue;
      if (claim.taken > 0 && claim.bytes + bytes > CLAIM_BYTES_MAX) {
        this.#close(claim);
        continue;
      }
      claim.taken++;
      claim.pending++;
      claim.bytes += bytes;
      agent.credits--;
      this.#touched.add(claim);
      if (claim.taken === claim.capacity) claim.open = false;
      return claim;
    }
    return null;
  }

  /** The pass is over: claims that were given something wait for its outcome, not for more. */
  seal(): void {
    for (const claim of this.#touched) if (claim.open) this.#close(claim);
    this.#touched.clear();
  }

  /** One placement's outcome: the task, or null where it was not placed. */
  resolve(claim: Claim, task: ClaimedTask | null, now: number): void {
    claim.pending--;
    if (task) claim.tasks.push(task);
    if (claim.pending > 0) return;
    if (claim.tasks.length > 0 || claim.until <= now) return this.#leave(claim);
    claim.open = true;
    claim.taken = 0;
    claim.bytes = 0;
    this.#credit(claim.agent, claim.capacity);
  }

  /** It is looked for what the claim got before: until `resolve`, it is given nothing more. */
  suspend(claim: Claim): void {
    if (claim.open) this.#close(claim);
    claim.pending++;
  }

  /** The claim's tasks turned up elsewhere than in the outcomes of its placements. */
  fulfil(claim: Claim, tasks: readonly ClaimedTask[]): void {
    if (claim.pending > 0 || this.find(claim.agent, claim.claimId) !== claim) return;
    claim.tasks.push(...tasks);
    this.#leave(claim);
  }

  /** Answers every claim whose time is over; one that waits for outcomes follows with them. */
  expire(now: number): void {
    for (;;) {
      const claim = this.#deadlines.first;
      if (!claim || claim.until > now) return;
      this.#deadlines.remove(claim);
      if (claim.pending === 0) this.#leave(claim);
    }
  }

  /** Answers what the agent has open, so that whoever still waits hears at once. */
  flush(agent: Agent): void {
    for (const claim of [...(this.#byAgent.get(agent) ?? [])]) {
      if (claim.pending === 0) this.#leave(claim);
    }
  }

  /** There is something to tell the agent: its oldest claim is answered with no tasks. */
  nudge(agent: Agent): void {
    this.#answerOldest(this.#byAgent.get(agent) ?? []);
  }

  /** It waits here no more; whoever takes it answers it. */
  takeOut(claim: Claim): ReplyToClaim {
    this.#remove(claim);
    return claim.reply;
  }

  #again(known: Claim, { reply, until }: NewClaim): void {
    known.reply(null);
    known.reply = reply;
    known.until = until;
    if (known.slot >= 0) this.#deadlines.moved(known);
    else this.#deadlines.add(known);
  }

  #answerOldest(claims: readonly Claim[]): void {
    const oldest = claims.find(({ pending }) => pending === 0);
    if (oldest) this.#leave(oldest);
  }

  #leave(claim: Claim): void {
    this.#remove(claim);
    this.#answer(claim, claim.tasks);
  }

  #remove(claim: Claim): void {
    const { agent } = claim;
    if (claim.open) this.#close(claim);
    this.#deadlines.remove(claim);
    const left = (this.#byAgent.get(agent) ?? []).filter((other) => other !== claim);
    if (left.length > 0) this.#byAgent.set(agent, left);
    else this.#byAgent.delete(agent);
    this.#size--;
    this.#fleet.forgetIfGone(agent);
  }

  #close(claim: Claim): void {
    claim.open = false;
    this.#credit(claim.agent, claim.taken - claim.capacity);
  }

  #credit(agent: Agent, change: number): void {
    agent.credits += change;
    this.#fleet.refresh(agent);
  }
}
