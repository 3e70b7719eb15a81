import type { ClaimBook } from './claim-book.js';
import { choose } from './policy.js';
import type { RouterState } from './router-state.js';
import type { Proposal } from './task.js';

export interface Pass {
  /** Milliseconds. */
  readonly now: number;
  /** Proposals at most. */
  readonly limit: number;
  /** Whether assignments can be proposed to the task's partition now. */
  readonly mayPropose: (partition: number) => boolean;
}

/**
 * One pass over the waiting tasks: of all that could go to someone, the one that comes first
 * (`goesFirst`), to whom the policy chooses; again until nobody can take more.
 */
export function match(state: RouterState, claims: ClaimBook, pass: Pass): Proposal[] {
  const { fleet, backlog, quotas, tasks, registrySeq } = state;
  const { now, limit, mayPropose } = pass;
  const proposals: Proposal[] = [];
  for (const set of fleet.takeGained()) backlog.consider(set);
  backlog.age(now);
  while (proposals.length < limit) {
    backlog.wake(now);
    const group = backlog.next(mayPropose);
    const task = group?.first;
    if (!group || !task) break;
    if (group.set.available === 0) {
      backlog.setAllAside(group.set);
      continue;
    }
    const quota = group.terms && quotas.spent(group.terms, now);
    if (quota) {
      backlog.park(group, quota);
      continue;
    }
    const choice = choose(group, registrySeq);
    if (!choice) {
      backlog.setAside(group);
      continue;
    }
    const { agent, decision } = choice;
    const claim = claims.take(agent, task.bytes);
    // The agent's open claims are full by bytes: its credits are gone, so another is chosen.
    if (!claim && agent.mode === 'claim') continue;
    const { session } = agent;
    const proposal = { task, agent, session, decision, claim, manual: false, settled: false };
    backlog.taken(group);
    tasks.propose(proposal);
    proposals.push(proposal);
  }
  claims.seal();
  return proposals;
}
