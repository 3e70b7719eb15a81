import { heldTasks, limits, type ClaimedTask } from '@athena/contracts';
import type { Clock } from '@athena/event-log';
import type { Caller, OperationCaller } from '@athena/service-kit';
import type { Agent } from './domain/agent.js';
import { ClaimBook, type Claim, type ClaimAnswer } from './domain/claim-book.js';
import { GivenClaims, LATE_CLAIM_MS, type GivenClaim } from './domain/given-claims.js';
import { RecentAnswers } from './domain/recent-answers.js';
import { CancelledNews } from './domain/cancelled-news.js';
import type { RouterState } from './domain/router-state.js';
import type { Proposal } from './domain/task.js';

export interface ClaimDeskOptions {
  readonly state: RouterState;
  readonly operations: OperationCaller;
  readonly clock: Clock;
  /** Whether claims are answered from here; else they are only kept. */
  readonly active: () => boolean;
  /** Since when, milliseconds. */
  readonly since: () => number;
  /** Milliseconds that a claim was parked. */
  readonly onAnswer?: (waitedMs: number, tasks: number) => void;
  readonly onFailure?: (error: unknown) => void;
}

export interface ClaimRequest {
  readonly claimId: string;
  readonly capacity: number;
  readonly waitMs: number;
}

const ACTOR = 'system:router';

/** Where claims wait, and where what was placed for them is handed out. */
export class ClaimDesk {
  readonly book: ClaimBook;
  readonly cancelled: CancelledNews;
  readonly #options: ClaimDeskOptions;
  readonly #recent = new RecentAnswers();
  /** As a standby: claims that may have been answered by the active router. */
  readonly #given = new GivenClaims();
  /** Given by hand to claiming agents that had no open claim: goes out with their next one. */
  readonly #handed = new Map<Agent, ClaimedTask[]>();

  constructor(options: ClaimDeskOptions) {
    this.#options = options;
    this.cancelled = new CancelledNews(options.since);
    this.book = new ClaimBook(options.state.fleet, (claim, tasks) => this.#answer(claim, tasks));
  }

  /**
   * The answer to a claim that was made before, or has something waiting for it; null: it has to
   * wait. @throws Refused where the partition can't be asked
   */
  async ready(agent: Agent, { claimId, capacity }: ClaimRequest): Promise<ClaimAnswer | null> {
    const recent = this.#recent.find(agent.key, claimId);
    if (recent) return recent;
    const handed = this.#takeHanded(agent, capacity);
    if (handed.length > 0) return this.#compose(agent, claimId, handed, 0);
    if (!agent.claimed.has(claimId)) return null;
    const held = await this.#heldFor(agent, claimId);
    return held.length > 0 ? this.#compose(agent, claimId, held, 0) : null;
  }

  /** Claims that wait here, whether or not the active router has answered them. */
  get size(): number {
    return this.book.size + this.#given.size;
  }

  /** Null: it is not answered from here. */
  park(agent: Agent, { claimId, capacity, waitMs }: ClaimRequest): Promise<ClaimAnswer | null> {
    return new Promise((reply) => {
      const now = this.#options.clock.now();
      const until = now + waitMs;
      if (this.#wasGiven(agent, claimId)) {
        return this.#given.add({ agent, claimId, until, reply });
      }
      this.book.park(agent, { claimId, capacity, until, reply }, now);
      if (this.#options.active() && this.cancelled.hasUntold(agent, now)) this.book.nudge(agent);
    });
  }

  /** What became of a placement; null: it was not placed, or nobody knows. */
  decided({ agent, claim }: Proposal, placed: ClaimedTask | null): void {
    if (claim) this.book.resolve(claim, placed, this.#options.clock.now());
    else if (placed && agent.mode === 'claim') {
      this.#handed.set(agent, [...(this.#handed.get(agent) ?? []), placed]);
    }
  }

  /** The answer to a placement was lost, but the log has it: the claim still gets its tasks. */
  recover(agent: Agent, claimId: string): void {
    const claim = this.book.find(agent, claimId);
    if (!claim || claim.pending > 0) return;
    this.#heldFor(agent, claimId).then(
      (tasks) => tasks.length > 0 && this.book.fulfil(claim, tasks),
      (error: unknown) => this.#options.onFailure?.(error),
    );
  }

  /** The fold shows that another router has given tasks to the claim: it is not given more. */
  given(agent: Agent, claimId: string): void {
    const claim = this.book.find(agent, claimId);
    if (claim && claim.pending > 0) return;
    const until = claim?.until ?? this.#options.clock.now() + LATE_CLAIM_MS;
    const reply = (claim && this.book.takeOut(claim)) ?? null;
    this.#given.add({ agent, claimId, until, reply });
  }

  /**
   * This router takes over. The answer to a claim that had got its tasks may have been lost with
   * the router that died: it is given again, and whoever has heard it hears no second one.
   */
  activated(): void {
    for (const given of this.#given.takeAll()) void this.#answerAgain(given);
    for (const claim of [...this.book.claims()]) {
      if (claim.agent.claimed.has(claim.claimId)) void this.#lookUp(claim);
    }
  }

  /** Whoever waits in the agent's name may be gone; one that is not asks again at once. */
  incarnationEnded(agent: Agent): void {
    this.#handed.delete(agent);
    this.#given.forget(agent);
    this.book.flush(agent);
  }

  /** What the agent holds and has not started. @throws Refused */
  async held(
    { agentId }: Agent,
    limit: number,
    caller: Caller,
    claimId?: string,
  ): Promise<readonly ClaimedTask[]> {
    const { operations, state } = this.#options;
    const only = claimId === undefined ? {} : { claimId };
    const answers = await Promise.all(
      state.partitions.map((partition) =>
        operations.call(heldTasks, { partition, agentId, limit, ...only }, caller),
      ),
    );
    return answers.flatMap(({ output }) => output.tasks).slice(0, limit);
  }

  sweep(now: number): void {
    this.book.expire(now);
    this.#given.sweep(now);
    this.#recent.trim(now);
  }

  /** Claims stay parked, as shadows of those that the active router has. */
  standDown(): void {
    this.#recent.clear();
    this.#handed.clear();
  }

  /** Every claim ends: answered with nothing, so that its agent asks again, or not answered. */
  sendAllAway(how: 'answered' | 'silently'): void {
    for (const { reply } of this.#given.takeAll()) reply?.(null);
    for (const claim of [...this.book.claims()]) {
      if (how === 'answered') this.book.flush(claim.agent);
      else if (claim.pending === 0) this.book.takeOut(claim)(null);
    }
  }

  #wasGiven(agent: Agent, claimId: string): boolean {
    if (this.#options.active()) return false;
    return agent.hasToStart(claimId) || this.#given.has(agent, claimId);
  }

  async #answerAgain({ agent, claimId, reply }: GivenClaim): Promise<void> {
    if (!reply) return;
    const held = agent.hasToStart(claimId) ? this.#heldFor(agent, claimId) : [];
    const tasks = await Promise.resolve(held).catch((error: unknown) => {
      this.#options.onFailure?.(error);
      return [];
    });
    // What was cancelled is left for an answer that is certainly heard.
    reply(tasks.length > 0 ? { tasks, cancelled: [] } : null);
  }

  async #lookUp(claim: Claim): Promise<void> {
    this.book.suspend(claim);
    try {
      claim.tasks.push(...(await this.#heldFor(claim.agent, claim.claimId)));
    } catch (error) {
      this.#options.onFailure?.(error);
    }
    this.book.resolve(claim, null, this.#options.clock.now());
  }

  #heldFor(agent: Agent, claimId: string): Promise<readonly ClaimedTask[]> {
    return this.held(agent, limits.ITEMS_MAX, { project: agent.project, actor: ACTOR }, claimId);
  }

  #takeHanded(agent: Agent, capacity: number): ClaimedTask[] {
    const handed = this.#handed.get(agent) ?? [];
    this.#handed.delete(agent);
    const still = handed.filter(({ taskId }) => {
      const task = this.#options.state.tasks.get(taskId);
      return (task?.hold ?? task?.proposal)?.agent === agent && task?.status !== 'running';
    });
    if (still.length > capacity) this.#handed.set(agent, still.splice(capacity));
    return still;
  }

  #answer(claim: Claim, tasks: readonly ClaimedTask[]): void {
    const { active, clock, onAnswer } = this.#options;
    if (!active() && tasks.length === 0) return claim.reply(null);
    onAnswer?.(clock.now() - claim.arrivedAt, tasks.length);
    claim.reply(this.#compose(claim.agent, claim.claimId, tasks, claim.bytes));
  }

  #compose(
    agent: Agent,
    claimId: string,
    tasks: readonly ClaimedTask[],
    bytes: number,
  ): ClaimAnswer {
    const now = this.#options.clock.now();
    const answer = { tasks, cancelled: this.cancelled.tell(agent, now) };
    if (tasks.length > 0) this.#recent.remember(agent.key, claimId, answer, { bytes, now });
    return answer;
  }
}
