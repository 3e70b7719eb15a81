import { beatAgent, pollTasks } from '@athena/contracts';
import type { Caller, Contacts, OperationCaller, ServiceHandler } from '@athena/service-kit';
import { isOwn } from '../domain/credential.js';
import type { Router } from '../router.js';
import type { Routing } from '../routing.js';
import { onBehalfOf } from './find-task.js';

/** A polling agent fetches what it was given and has not started, after its slots were filled. */
export const poll = (
  router: Router,
  operations: OperationCaller,
  contacts: Contacts,
): ServiceHandler<typeof pollTasks> => ({
  operation: pollTasks,
  async handle({ agentId, limit }, caller) {
    const { routing } = router;
    await routing.fold.caughtUp();
    if (isPresentAs(routing, agentId, caller)) contacts.add(caller.project, agentId);
    else await knock(routing, operations, agentId, caller);
    const agent = await routing.registered(caller.project, agentId);
    await routing.filled(agent);
    const tasks = await routing.desk.held(agent, limit, onBehalfOf(caller));
    const cancelled = routing.cancelledOf(agent);
    return { output: { tasks: [...tasks], cancelled }, seq: routing.state.seq };
  },
});

/** Whether the agent is there and the caller is it: then all there is to do is to note it. */
function isPresentAs({ state }: Routing, agentId: string, { project, actor }: Caller): boolean {
  const agent = state.fleet.get(project, agentId);
  return agent?.present === true && isOwn(actor, state.credentials.get(agent.key));
}

/**
 * The registry judges whether the caller may be this agent, and opens a session for one that was
 * away. @throws Refused AGENT_NOT_FOUND, AGENT_ID_TAKEN
 */
async function knock(
  { fold }: Routing,
  operations: OperationCaller,
  agentId: string,
  caller: Caller,
): Promise<void> {
  const { seq } = await operations.call(beatAgent, { agentId }, onBehalfOf(caller));
  await fold.reached(seq);
}
