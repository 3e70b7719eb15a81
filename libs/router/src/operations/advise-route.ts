import { getTask, routeTask } from '@athena/contracts';
import type { Input, Output } from '@athena/operation';
import type { Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';
import type { Agent } from '../domain/agent.js';
import { rank, reasonFor, type Pool } from '../domain/policy.js';
import { sortedOnce } from '../domain/requirement-set.js';
import { whyNobody } from '../domain/why.js';
import type { Router } from '../router.js';
import type { Routing } from '../routing.js';
import { findTask, onBehalfOf } from './find-task.js';

/** Candidates that an advice names, best first. */
export const ADVISED_CANDIDATES_MAX = 100;

interface Asked {
  readonly requirements: readonly string[];
  readonly excluded: readonly string[];
  readonly avoided: readonly string[];
}

/** Which agent the policy would choose now, whether or not it asks for work at this moment. */
export const adviseRoute = (
  router: Router,
  operations: OperationCaller,
): ServiceHandler<typeof routeTask> => ({
  operation: routeTask,
  async handle(input, caller) {
    const { routing } = router;
    const { state } = routing;
    const asked = await askedFor(routing, operations, input, caller);
    const members = state.fleet.capable(caller.project, asked.requirements);
    const excluded = [...asked.excluded, ...input.excludeAgents];
    const pool = { members, excluded, avoided: asked.avoided };
    return { output: advise(pool, asked.requirements, caller.project, routing), seq: state.seq };
  },
});

async function askedFor(
  routing: Routing,
  operations: OperationCaller,
  { taskId, task }: Input<typeof routeTask>,
  caller: Caller,
): Promise<Asked> {
  if (taskId === undefined) {
    await routing.fold.caughtUp();
    return { requirements: sortedOnce(task?.requirements ?? []), excluded: [], avoided: [] };
  }
  const known = await findTask(routing, taskId, caller);
  if (known) {
    const { set, excluded, avoided } = known;
    return { requirements: set.requirements, excluded, avoided };
  }
  const { output } = await operations.call(getTask, { taskId }, onBehalfOf(caller));
  return { requirements: sortedOnce(output.requirements), excluded: [], avoided: [] };
}

const roomOf = ({ room }: Agent): number => room;

function advise(
  pool: Pool,
  requirements: readonly string[],
  project: string,
  { state }: Routing,
): Output<typeof routeTask> {
  const { best, considered } = rank(pool, ADVISED_CANDIDATES_MAX, roomOf);
  const selected = best[0]?.agent;
  const later = selected?.free === 0 ? '; it asks for no work at this moment' : '';
  return {
    selectedAgent: selected?.agentId ?? null,
    candidates: best.map(({ agent }) => agent.agentId),
    scores: Object.fromEntries(best.map(({ agent, score }) => [agent.agentId, score])),
    reason: selected
      ? reasonFor(best, considered) + later
      : whyNobody(pool, requirements, project, state.fleet).detail,
  };
}
