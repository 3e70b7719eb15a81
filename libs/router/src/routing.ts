import { AGENT_NOT_FOUND } from '@athena/contracts';
import { sleep, type Clock, type EventLog, type StateStore, type Timers } from '@athena/event-log';
import { Refused } from '@athena/operation';
import type { OperationCaller } from '@athena/service-kit';
import type { Agent } from './domain/agent.js';
import { ClaimDesk, type ClaimRequest } from './claim-desk.js';
import type { ClaimAnswer } from './domain/claim-book.js';
import type { RouterCheckpoint } from './domain/checkpoint.js';
import { Figures } from './domain/figures.js';
import { match } from './domain/matching.js';
import type { Consequence, RouterState } from './domain/router-state.js';
import type { Proposal, Task } from './domain/task.js';
import { whyLimited, whyWaiting, type Why } from './domain/why.js';
import { QuotaWatch } from './quota-watch.js';
import { PLACEMENTS_PER_PASS, Proposer, type Outcome } from './proposer.js';
import { ReleaseOnSessionEnded } from './reactions/release-on-session-ended.js';
import { RouterFold } from './router-fold.js';
import { StateSaver } from './state-saver.js';

/** A refused task is not proposed again before the fold had this long to show why. */
export const REFUSED_COOL_MS = 1_000;
/** How exactly claims' waits end. */
const SWEEP_MS = 25;
/** How long somebody who waits for one task’s turn looks for it: a second. */
const TURN_LOOKS_MAX = 200;
const TURN_LOOK_MS = 5;

export interface RoutingObserver {
  decided?(outcome: 'assigned' | 'refused' | 'unknown'): void;
  /** Milliseconds from being free to be routed until assigned. */
  assigned?(waitedMs: number): void;
  /** Milliseconds that a claim was parked. */
  claimAnswered?(waitedMs: number, tasks: number): void;
  failed?(error: unknown): void;
}

export interface RoutingOptions {
  readonly operations: OperationCaller;
  readonly log: Pick<EventLog, 'endSeq' | 'get'>;
  readonly feed: Pick<EventLog, 'follow'>;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Where the state is kept; absent: every start folds the whole log. */
  readonly store?: StateStore;
  readonly observer?: RoutingObserver;
  /** Of projects, absent ones: 1. */
  readonly weights?: ReadonlyMap<string, number>;
}

/**
 * The work of one router on one fold of the log. As a standby it only follows and keeps a shadow
 * of the parked claims; while it is active it matches whenever something changed, proposes, and
 * answers claims with what was placed.
 */
export class Routing {
  readonly fold: RouterFold;
  readonly desk: ClaimDesk;
  readonly #options: RoutingOptions;
  readonly #waiters = new Map<Proposal, ((outcome: Outcome) => void)[]>();
  #figures = new Map<string, Figures>();
  #cooling: Task[] = [];
  #saver: StateSaver | null = null;
  #proposer: Proposer | null = null;
  #releases: ReleaseOnSessionEnded | null = null;
  #since = 0;
  #planned = false;
  #cancelSweep: (() => void) | null = null;
  readonly #quotaWatch: QuotaWatch;

  constructor(options: RoutingOptions, checkpoint: RouterCheckpoint) {
    this.#options = options;
    const { operations, clock, observer, log, feed, timers, store, weights } = options;
    const { state } = checkpoint;
    this.desk = new ClaimDesk({
      state,
      operations,
      clock,
      active: () => this.active,
      since: () => this.since,
      onAnswer: (waitedMs, tasks) => observer?.claimAnswered?.(waitedMs, tasks),
      onFailure: (error) => observer?.failed?.(error),
    });
    this.fold = new RouterFold({ log, feed, timers, onFolded: () => this.#folded() }, state);
    if (weights) state.backlog.weigh(weights);
    const { quotas } = state;
    this.#quotaWatch = new QuotaWatch({ quotas, clock, timers, onRoom: () => this.soon() });
    if (store) this.#saver = this.#makeSaver(store, checkpoint);
  }

  get state(): RouterState {
    return this.fold.state;
  }
  get now(): number {
    return this.#options.clock.now();
  }
  get active(): boolean {
    return this.#proposer !== null;
  }
  /** Whether all task partitions take its proposals. */
  get open(): boolean {
    return this.#proposer?.allOpen ?? false;
  }
  /** When it became active, milliseconds. */
  get since(): number {
    return this.#since;
  }
  figures(project: string): Figures {
    const known = this.#figures.get(project);
    if (known) return known;
    const figures = new Figures();
    this.#figures.set(project, figures);
    return figures;
  }

  /** Takes over. `onSuperseded` is called when another router has. */
  activate(router: string, onSuperseded: (reason: Error) => void): void {
    const { operations, timers, observer, clock } = this.#options;
    const { state } = this;
    const onFailure = (error: unknown): void => observer?.failed?.(error);
    this.#since = clock.now();
    state.quotas.shut();
    this.#figures = new Map();
    this.#releases = new ReleaseOnSessionEnded({ operations, state, timers, onFailure });
    this.#proposer = new Proposer({
      operations,
      fold: this.fold,
      timers,
      router,
      onOutcome: (proposal, outcome) => this.#decided(proposal, outcome),
      onRoom: () => this.#hasRoom(),
      onSuperseded,
      onFailure,
    });
    this.#releases.resume();
    this.desk.activated();
    this.#proposer.open();
  }

  /** Back to following; parked claims stay as shadows of those that the other router has. */
  standDown(): void {
    this.#proposer?.close();
    this.#releases?.stop();
    this.#proposer = null;
    this.#releases = null;
    this.#saver?.standDown();
    this.#quotaWatch.stop();
    this.desk.standDown();
  }

  /** Stores the state as it stands, so that the next start is a quick one. */
  async save(): Promise<void> {
    await this.#saver?.save();
  }

  /** Ends everything; nobody is answered any more. */
  async stop(): Promise<void> {
    this.standDown();
    this.#cancelSweep?.();
    this.desk.sendAllAway('silently');
    await this.fold.stop();
  }

  /** One pass of matching at the end of this turn of the event loop, however often it is asked. */
  soon(): void {
    if (this.#planned || !this.active) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      this.routeNow();
    });
  }

  /** One pass of matching. */
  routeNow(): void {
    const proposer = this.#proposer;
    if (!proposer) return;
    const hasRoom = (partition: number): boolean => proposer.hasRoom(partition);
    const pass = { now: this.now, limit: PLACEMENTS_PER_PASS, mayPropose: hasRoom };
    const proposals = match(this.state, this.desk.book, pass);
    this.#quotaWatch.arm();
    if (proposals.length === 0) return;
    proposer.propose(proposals);
    if (proposals.length === PLACEMENTS_PER_PASS) this.soon();
  }

  /** Whether an assignment of this task could be proposed now. */
  mayPropose(task: Task): boolean {
    if (this.state.pauses.of(task.project, task.taskType)) return false;
    if (task.terms && !this.state.quotas.open) return false;
    return this.#proposer?.isOpen(task.partition) ?? false;
  }

  /** Why a pending task is with no agent. */
  why(task: Task): Why {
    return whyWaiting(task, this.state, this.now);
  }

  /** What its concurrency key or rate limit says against it; null: nothing. */
  spent({ terms }: Task): Why | null {
    const quota = terms?.spent(this.now);
    return quota ? whyLimited(quota, this.now) : null;
  }

  /** Waits for the passes' room while the task is next; then it is proposed, or has to wait. */
  async turnOf(task: Task): Promise<void> {
    for (let looks = 0; looks < TURN_LOOKS_MAX; looks++) {
      this.routeNow();
      if (task.proposal || task.status !== 'pending') return;
      if (this.why(task).reason !== 'routing') return;
      await sleep(this.#options.timers, TURN_LOOK_MS);
    }
  }

  /** Proposes one assignment that was decided elsewhere than in a pass. */
  place(task: Task, agent: Agent, decision: Proposal['decision'], manual: boolean): Proposal {
    const claim = this.desk.book.take(agent, task.bytes);
    this.desk.book.seal();
    const { session } = agent;
    const proposal: Proposal = { task, agent, session, decision, claim, manual, settled: false };
    this.state.tasks.propose(proposal);
    this.#proposer?.propose([proposal]);
    return proposal;
  }

  /** What becomes of a proposal that is under way. */
  outcome(proposal: Proposal): Promise<Outcome> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(proposal);
      if (waiters) waiters.push(resolve);
      else this.#waiters.set(proposal, [resolve]);
    });
  }

  /** What the agent is to be told of its cancelled tasks now. */
  cancelledOf(agent: Agent): string[] {
    return this.desk.cancelled.tell(agent, this.#options.clock.now());
  }

  /** Resolves when what a pass gives this agent now has been decided. */
  async filled(agent: Agent): Promise<void> {
    this.routeNow();
    const inFlight = this.#proposer?.inFlightFor(agent.key) ?? [];
    await Promise.all(inFlight.map((proposal) => this.outcome(proposal)));
  }

  /**
   * An agent asks for work and waits. Null: it is not answered from here.
   * @throws Refused AGENT_NOT_FOUND
   */
  async claim(
    request: ClaimRequest,
    { project, agentId }: { project: string; agentId: string },
  ): Promise<ClaimAnswer | null> {
    const agent = await this.registered(project, agentId);
    const ready = this.active ? await this.desk.ready(agent, request) : null;
    if (ready) return ready;
    const parked = this.desk.park(agent, request);
    this.#armSweep();
    this.soon();
    return parked;
  }

  /** @throws Refused AGENT_NOT_FOUND */
  async registered(project: string, agentId: string): Promise<Agent> {
    const find = (): Agent | undefined => {
      const agent = this.state.fleet.get(project, agentId);
      return agent?.registered ? agent : undefined;
    };
    const known = find();
    if (known) return known;
    // It may have registered a moment ago.
    await this.fold.caughtUp();
    const agent = find();
    if (agent) return agent;
    const detail = `agent ${agentId} is not registered in project ${project}`;
    throw Refused.because(AGENT_NOT_FOUND, detail, 'agentId');
  }

  #hasRoom(): void {
    if (this.#proposer?.allFenced) this.state.quotas.unshut();
    this.soon();
  }

  #makeSaver(store: StateStore, checkpoint: RouterCheckpoint): StateSaver {
    const { clock, observer } = this.#options;
    return new StateSaver({
      fold: this.fold,
      checkpoint,
      store,
      clock,
      epoch: () => this.#proposer?.epoch ?? null,
      onFailure: (error) => observer?.failed?.(error),
    });
  }

  #decided(proposal: Proposal, outcome: Outcome): void {
    const { task, agent } = proposal;
    const { observer } = this.#options;
    const placed = outcome && 'taskId' in outcome ? outcome : null;
    observer?.decided?.(placed ? 'assigned' : outcome ? 'refused' : 'unknown');
    if (outcome && !placed) {
      this.figures(task.project).refused++;
      this.state.tasks.settle(proposal);
      this.#cool(task);
    }
    this.desk.decided(proposal, placed);
    const claimId = outcome === null ? task.hold?.claimId : undefined;
    if (claimId !== undefined) this.desk.recover(agent, claimId);
    for (const told of this.#waiters.get(proposal) ?? []) told(outcome);
    this.#waiters.delete(proposal);
  }

  #cool(task: Task): void {
    if (task.status !== 'pending' || task.proposal) return;
    task.coolUntil = this.#options.clock.now() + REFUSED_COOL_MS;
    this.state.tasks.review(task);
    this.#cooling.push(task);
    this.#armSweep();
  }

  #folded(): void {
    for (const consequence of this.state.takeConsequences()) this.#consider(consequence);
    this.#saver?.consider();
    this.soon();
  }

  #consider(consequence: Consequence): void {
    switch (consequence.kind) {
      case 'session-ended': {
        const { agent, session, exclude, source } = consequence;
        const { project, agentId } = agent;
        if (!restsOn(agent, session)) return;
        return this.#releases?.react({ project, agentId, session, exclude, source });
      }
      case 'incarnation-ended':
        return this.desk.incarnationEnded(consequence.agent);
      case 'assigned':
        return this.#assigned(consequence);
      case 'cancelled':
        return this.desk.book.nudge(consequence.agent);
      case 'partitions-grown':
        return this.#proposer?.open();
      case 'router-opened': {
        const { partition, routerEpoch, router } = consequence;
        return this.#proposer?.opened(partition, routerEpoch, router);
      }
      default:
        return consequence satisfies never;
    }
  }

  #assigned({ agent, claimId, waitedMs }: Extract<Consequence, { kind: 'assigned' }>): void {
    if (this.active) {
      this.figures(agent.project).countAssigned(waitedMs);
      this.#options.observer?.assigned?.(waitedMs);
      if (claimId !== undefined) this.desk.recover(agent, claimId);
    } else if (claimId !== undefined) {
      // The active router answers this claim.
      this.desk.given(agent, claimId);
      this.#armSweep();
    }
  }

  /** One timer for all parked claims and refused tasks, running only while there are any. */
  #armSweep(): void {
    this.#cancelSweep ??= this.#options.timers.after(SWEEP_MS, () => {
      this.#cancelSweep = null;
      this.#sweep(this.#options.clock.now());
      if (this.desk.size > 0 || this.#cooling.length > 0) this.#armSweep();
    });
  }

  #sweep(now: number): void {
    this.desk.sweep(now);
    let warm = 0;
    for (const task of this.#cooling) {
      if (task.coolUntil > now) break;
      task.coolUntil = 0;
      this.state.tasks.review(task);
      warm++;
    }
    if (warm === 0) return;
    this.#cooling = this.#cooling.slice(warm);
    this.soon();
  }
}

/** Whether the agent holds anything under this session or an older one. */
const restsOn = ({ held }: Agent, session: number): boolean =>
  [...held].some(({ hold }) => hold !== null && hold.session <= session);
