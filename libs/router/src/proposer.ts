import { STALE_ROUTER, openRouter, placeTasks, type ClaimedTask } from '@athena/contracts';
import type { Placement } from '@athena/contracts';
import { sleep, type Timers } from '@athena/event-log';
import { Refused, type Output } from '@athena/operation';
import type { Caller, OperationCaller } from '@athena/service-kit';
import type { Proposal } from './domain/task.js';
import type { RouterFold } from './router-fold.js';

/** Placements of one call: its answer holds the tasks, and its events fit one commit. */
export const PLACEMENTS_PER_CALL = 200;
export const CALL_BYTES_MAX = 384 * 1024;
/** Calls under way to one partition; further placements gather meanwhile. */
export const CALLS_IN_FLIGHT_MAX = 4;
/** Placements of one pass of matching. */
export const PLACEMENTS_PER_PASS = 1_000;
/**
 * So long a router that takes over waits until all partitions are open: as long as an earlier one
 * is not fenced everywhere, nobody knows how much it has given to whom. One that nobody owns can't
 * hold up the others for longer.
 */
export const OPEN_TOGETHER_MS = 1_000;
const OPEN_FIRST_MS = 100;
const OPEN_MS_MAX = 5_000;
/** A decision's size apart from its candidates, and one candidate's apart from its id. */
const PLACEMENT_BYTES = 700;
const CANDIDATE_BYTES = 100;

/** What became of a proposal; null: nobody knows, the partition is being opened anew. */
export type Outcome = ClaimedTask | { readonly refusal: { code: string; detail: string } } | null;

export interface ProposerOptions {
  readonly operations: OperationCaller;
  readonly fold: RouterFold;
  readonly timers: Timers;
  /** This router, unique to this activation of it. */
  readonly router: string;
  /** Called once per proposal. */
  readonly onOutcome: (proposal: Proposal, outcome: Outcome) => void;
  /** More can be proposed: a call came back, or a partition is open. */
  readonly onRoom: () => void;
  /** Another router has taken over. */
  readonly onSuperseded: (reason: Error) => void;
  readonly onFailure?: (error: unknown) => void;
}

interface Link {
  readonly partition: number;
  state: 'closed' | 'opening' | 'open';
  epoch: number;
  /** Whatever earlier routers proposed to it is folded. */
  fenced: boolean;
  /** The newest epoch of anyone else. */
  foreign: number;
  calls: number;
  /** Proposals whose outcome is not known. */
  readonly inFlight: Set<Proposal>;
}

/** Sends proposals to the task partitions, under an epoch that fences earlier routers. */
export class Proposer {
  readonly #options: ProposerOptions;
  readonly #links = new Map<number, Link>();
  #closed = false;
  /** All partitions have been open, or it has waited for them long enough. */
  #begun = false;
  readonly #cancelBegin: () => void;

  constructor(options: ProposerOptions) {
    this.#options = options;
    this.#cancelBegin = options.timers.after(OPEN_TOGETHER_MS, () => this.#begin());
  }

  /** Opens those partitions that are not linked yet. */
  open(): void {
    for (const partition of this.#options.fold.state.partitions) {
      if (this.#links.has(partition)) continue;
      const link: Link = {
        partition,
        state: 'closed',
        epoch: 0,
        fenced: false,
        foreign: 0,
        calls: 0,
        inFlight: new Set(),
      };
      this.#links.set(partition, link);
      void this.#open(link);
    }
  }

  /** Ends what is reserved; answers that still come are passed on. */
  close(): void {
    this.#closed = true;
    this.#cancelBegin();
    for (const link of this.#links.values()) {
      link.state = 'closed';
      this.#settleAll(link);
    }
  }

  /** The epoch of the first partition, which grows with every router; null: not open yet. */
  get epoch(): number | null {
    const [first] = this.#links.values();
    return first?.state === 'open' ? first.epoch : null;
  }

  get allOpen(): boolean {
    return [...this.#links.values()].every(({ state }) => state === 'open');
  }

  /** Whether no earlier router can bring about assignments any more, anywhere. */
  get allFenced(): boolean {
    return [...this.#links.values()].every(({ fenced }) => fenced);
  }

  isOpen(partition: number): boolean {
    return this.#begun && this.#links.get(partition)?.state === 'open';
  }

  /** Whether a pass may propose to the partition now, or lets proposals gather. */
  hasRoom(partition: number): boolean {
    const link = this.#links.get(partition);
    return this.isOpen(partition) && (link?.calls ?? 0) < CALLS_IN_FLIGHT_MAX;
  }

  propose(proposals: readonly Proposal[]): void {
    for (const link of this.#links.values()) {
      const mine = proposals.filter(({ task }) => task.partition === link.partition);
      for (const chunk of chunksOf(mine)) void this.#send(link, chunk);
    }
  }

  /** Proposals for this agent whose outcome is not known. */
  inFlightFor(agentKey: string): Proposal[] {
    return [...this.#links.values()].flatMap(({ inFlight }) =>
      [...inFlight].filter(({ agent }) => agent.key === agentKey),
    );
  }

  /** The fold saw that a router opened the partition. */
  opened(partition: number, routerEpoch: number, router: string): void {
    const link = this.#links.get(partition);
    if (!link || router === this.#options.router) return;
    link.foreign = Math.max(link.foreign, routerEpoch);
    if (link.epoch > 0 && routerEpoch > link.epoch) this.#superseded(`${router} has taken over`);
  }

  async #open(link: Link): Promise<void> {
    if (this.#closed || link.state === 'opening') return;
    link.state = 'opening';
    for (let failures = 0; !this.#closed; failures++) {
      try {
        return await this.#tryOpen(link);
      } catch (error) {
        this.#options.onFailure?.(error);
        await sleep(this.#options.timers, Math.min(OPEN_MS_MAX, OPEN_FIRST_MS * 2 ** failures));
      }
    }
  }

  async #tryOpen(link: Link): Promise<void> {
    const { operations, fold, router, onRoom } = this.#options;
    const { partition } = link;
    const { output } = await operations.call(openRouter, { partition, router }, SYSTEM);
    link.epoch = output.routerEpoch;
    await fold.reached(output.seq);
    if (this.#closed) return;
    if (link.foreign > link.epoch)
      return this.#superseded('another router opened at the same time');
    // All that earlier proposals could bring about is folded now; the rest is refused for good.
    this.#settleAll(link);
    link.fenced = true;
    link.state = 'open';
    if (this.allOpen) this.#begun = true;
    onRoom();
  }

  #begin(): void {
    if (this.#begun) return;
    this.#begun = true;
    this.#options.onRoom();
  }

  #settleAll(link: Link): void {
    const { tasks } = this.#options.fold.state;
    for (const proposal of link.inFlight) {
      tasks.settle(proposal);
      link.inFlight.delete(proposal);
    }
  }

  async #send(link: Link, chunk: readonly Proposal[]): Promise<void> {
    const { operations, onOutcome, onRoom } = this.#options;
    const { epoch, partition } = link;
    link.calls++;
    for (const proposal of chunk) link.inFlight.add(proposal);
    const input = { partition, routerEpoch: epoch, placements: chunk.map(placementOf) };
    try {
      const { output } = await operations.call(placeTasks, input, SYSTEM);
      chunk.forEach((proposal, index) => {
        link.inFlight.delete(proposal);
        onOutcome(proposal, outcomeOf(output.results[index]));
      });
    } catch (error) {
      this.#failed(link, epoch, error);
      for (const proposal of chunk) onOutcome(proposal, null);
    } finally {
      link.calls--;
      onRoom();
    }
  }

  /** Whether they were placed is unknown: the next opening tells. */
  #failed(link: Link, epoch: number, error: unknown): void {
    if (this.#closed || epoch !== link.epoch) return;
    const stale = error instanceof Refused && error.refusal.code === STALE_ROUTER.code;
    if (stale) return this.#superseded(error.message);
    this.#options.onFailure?.(error);
    void this.#open(link);
  }

  #superseded(reason: string): void {
    if (!this.#closed) this.#options.onSuperseded(new Error(reason));
  }
}

/** Tasks of many projects go in one call. */
const SYSTEM: Caller = { project: '', actor: 'system:router' };

const outcomeOf = (result: Output<typeof placeTasks>['results'][number] | undefined): Outcome => {
  if (!result) return null;
  return 'task' in result ? result.task : result;
};

function placementOf({ task, agent, session, claim, decision, manual }: Proposal): Placement {
  return {
    taskId: task.id,
    agentId: agent.agentId,
    kind: agent.kind.name,
    session,
    ...(claim ? { claimId: claim.claimId } : {}),
    assignment: task.assignments + 1,
    decision,
    ...(manual ? { manual } : {}),
  };
}

/** Cut by number, by the size of the tasks that come back and by that of the decisions. */
function* chunksOf(proposals: readonly Proposal[]): Generator<Proposal[]> {
  let chunk: Proposal[] = [];
  let bytes = 0;
  for (const proposal of proposals) {
    const size = Math.max(proposal.task.bytes, sizeOf(proposal));
    if (chunk.length === PLACEMENTS_PER_CALL || (bytes + size > CALL_BYTES_MAX && bytes > 0)) {
      yield chunk;
      [chunk, bytes] = [[], 0];
    }
    chunk.push(proposal);
    bytes += size;
  }
  if (chunk.length > 0) yield chunk;
}

function sizeOf({ decision }: Proposal): number {
  return decision.candidates.reduce(
    (sum, { agentId }) => sum + agentId.length + CANDIDATE_BYTES,
    PLACEMENT_BYTES,
  );
}
