import { routingStats } from '@athena/contracts';
import type { ServiceHandler } from '@athena/service-kit';
import { BASE_POLICY } from '../domain/policy.js';
import { whyReady } from '../domain/why.js';
import type { Router } from '../router.js';
import type { Routing } from '../routing.js';

/** What was decided for the project since this router became the active one. */
export const tellRoutingStats = (router: Router): ServiceHandler<typeof routingStats> => ({
  operation: routingStats,
  async handle(_input, { project }) {
    const { routing } = router;
    const { fold, state, since } = routing;
    await fold.caughtUp();
    const noRouteReasons = reasonsOf(routing, project);
    const waiting = Object.values(noRouteReasons).reduce((sum, count) => sum + count, 0);
    const { assigned, refused, timeToAssignMs } = routing.figures(project);
    const output = {
      since: new Date(since).toISOString(),
      assigned,
      refused,
      waiting,
      noRouteReasons,
      assignmentRate: assigned + waiting === 0 ? null : assigned / (assigned + waiting),
      timeToAssignMs,
      policy: BASE_POLICY,
    };
    return { output, seq: state.seq };
  },
});

/** Waiting tasks by their reason; those of one group share it. */
function reasonsOf({ state, now }: Routing, project: string): Record<string, number> {
  const { fleet, tasks, pauses } = state;
  const counts = new Map<string, number>(Object.entries(tasks.tallies(project)));
  for (const set of fleet.sets(project)) {
    for (const group of set.groups.values()) {
      const { reason } = pauses.holds(group) ? { reason: 'paused' } : whyReady(group, fleet, now);
      counts.set(reason, (counts.get(reason) ?? 0) + group.size);
    }
  }
  return Object.fromEntries([...counts].filter(([, count]) => count > 0));
}
