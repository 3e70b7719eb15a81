import { deregisterAgent, drainAgent, registerAgent } from '@athena/contracts';
import type { Operation } from '@athena/operation';
import type { AgentVerb, OperationCaller } from '@athena/service-kit';
import { handleHeartbeatAgent } from './operations/heartbeat-agent.js';

/**
 * The verbs of the agents' protocol that the registry answers. Any process of the service hears
 * them; the owner of the registry decides.
 */
export const registryVerbs = (calls: OperationCaller): readonly AgentVerb[] => [
  ...[registerAgent, drainAgent, deregisterAgent].map((operation: Operation): AgentVerb => ({
    operation,
    handle(input, { project, actor, id }) {
      return calls.call(operation, input, { project, actor, id });
    },
  })),
  handleHeartbeatAgent(calls),
];
