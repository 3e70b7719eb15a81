import type { ClaimBook } from './claim-book.js';
import { choose } from './policy.js';
import type { RouterState } from './router-state.js';
import type { Proposal } from './task.js';

/**
 * One pass over the waiting tasks: of all that could go to someone, the one of the highest
 * priority, of those the oldest, to whom the policy chooses; again until nobody can take more.
 * @param mayPropose whether assignments can be proposed to the task's partition now.
 */
export function match(
  { fleet, backlog, tasks, registrySeq }: RouterState,
  claims: ClaimBook,
  limit: number,
  mayPropose: (partition: number) => boolean,
): Proposal[] {
  const proposals: Proposal[] = [];
  for (const set of fleet.takeGained()) backlog.considerAll(set);
  while (proposals.length < limit) {
    const group = backlog.next(mayPropose);
    const task = group?.first;
    if (!group || !task) break;
    const choice = group.set.available > 0 ? choose(group, registrySeq) : null;
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
    tasks.propose(proposal);
    proposals.push(proposal);
  }
  claims.seal();
  return proposals;
}
