import { limits, type RoutingDecision } from '@athena/contracts';
import type { Agent } from './agent.js';

export const BASE_POLICY = 'base@1';
export const MANUAL_POLICY = 'manual@1';

/** Whom the policy may choose from. */
export interface Pool {
  /** Everyone registered who has all of the required capabilities. */
  readonly members: readonly Agent[];
  /** Never chosen. */
  readonly excluded: readonly string[];
  /** Not chosen while anyone else of the pool is present. */
  readonly avoided: readonly string[];
}

export interface Choice {
  readonly agent: Agent;
  readonly decision: RoutingDecision;
}

export interface Candidate {
  readonly agent: Agent;
  readonly score: number;
  readonly utilisation: number;
}

/** Product R1: successRate × (1 − min(utilisation, 1)). */
export const scoreOf = (successRate: number, utilisation: number): number =>
  successRate * (1 - Math.min(utilisation, 1));

/** The agents that are kept away now: none where nobody else is present (product T7). */
export function keptAway({ members, excluded, avoided }: Pool): readonly string[] {
  if (avoided.length === 0) return excluded;
  const someoneElse = members.some(
    ({ reachable, agentId }) =>
      reachable && !excluded.includes(agentId) && !avoided.includes(agentId),
  );
  return someoneElse ? [...excluded, ...avoided] : excluded;
}

/**
 * The base policy: of the agents that can take it now, the highest score wins.
 */
export function choose(pool: Pool, registrySeq: number): Choice | null {
  const { best, considered } = rank(pool, limits.DECISION_CANDIDATES_MAX);
  const [first] = best;
  return first ? { agent: first.agent, decision: record(best, considered, registrySeq) } : null;
}

/**
 * The candidates, best first.
 * @param capacityOf the slots of an agent that count; default: what it can take now
 */
export function rank(
  pool: Pool,
  max: number,
  capacityOf?: (agent: Agent) => number,
): { readonly best: readonly Candidate[]; readonly considered: number } {
  const away = keptAway(pool);
  const podium = new Podium(max);
  let considered = 0;
  // The one loop whose cost grows with the fleet, once per decision: it reads plain fields only.
  for (const agent of pool.members) {
    if ((capacityOf ? capacityOf(agent) : agent.offered) <= 0) continue;
    if (away.length > 0 && away.includes(agent.agentId)) continue;
    considered++;
    podium.enter(agent);
  }
  return { best: podium.agents.map(candidateOf), considered };
}

/** The record of an operator's choice. */
export const chosenByHand = (
  agent: Agent,
  actor: string,
  registrySeq: number,
): RoutingDecision => ({
  ...record([candidateOf(agent)], 1, registrySeq),
  policy: MANUAL_POLICY,
  reason: `${agent.agentId} was chosen by hand, by ${actor}`,
});

function candidateOf(agent: Agent): Candidate {
  const { utilisation } = agent;
  return { agent, utilisation, score: scoreOf(agent.kind.successRate, utilisation) };
}

/** The best so far, best first; agents and their scores side by side, so that a scan makes none. */
class Podium {
  readonly agents: Agent[] = [];
  readonly #scores: number[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  enter(agent: Agent): void {
    const score = agent.kind.successRate * (1 - agent.load);
    let place = this.agents.length;
    while (place > 0 && this.#goesBefore(agent, score, place - 1)) place--;
    if (place === this.#max) return;
    const last = Math.min(this.agents.length, this.#max - 1);
    for (let at = last; at > place; at--) {
      this.agents[at] = this.agents[at - 1] as Agent;
      this.#scores[at] = this.#scores[at - 1] as number;
    }
    this.agents[place] = agent;
    this.#scores[place] = score;
  }

  /**
   * Higher score; of equal scores the less utilised; of those who had fewer assignments so far,
   * so that equals take turns; at last by id.
   */
  #goesBefore(agent: Agent, score: number, place: number): boolean {
    const otherScore = this.#scores[place] as number;
    if (score !== otherScore) return score > otherScore;
    const other = this.agents[place] as Agent;
    if (agent.load !== other.load) return agent.load < other.load;
    const turns = agent.assignments + agent.reserved - other.assignments - other.reserved;
    return turns === 0 ? agent.agentId < other.agentId : turns < 0;
  }
}

function record(
  best: readonly Candidate[],
  considered: number,
  registrySeq: number,
): RoutingDecision {
  return {
    policy: BASE_POLICY,
    reason: reasonFor(best, considered),
    candidates: best.map(({ agent, score, utilisation }) => ({
      agentId: agent.agentId,
      score,
      successRate: agent.kind.successRate,
      utilisation,
    })),
    considered,
    registrySeq,
    probability: 1,
  };
}

export function reasonFor([first, second]: readonly Candidate[], considered: number): string {
  const { agent, score } = first as Candidate;
  if (!second) return `${agent.agentId} is the only candidate`;
  const figure = Number(score.toFixed(3));
  return second.score === score
    ? `${agent.agentId} comes first of those that score highest (${figure}) of ${considered}`
    : `${agent.agentId} scores highest (${figure}) of ${considered} candidates`;
}
