import { getAgent } from '@athena/contracts';
import type { ServiceHandler } from '@athena/service-kit';
import { utilisation } from './agent-rows.js';
import type { AgentReader } from './registry-reader.js';

/** One agent: what it registered and whether it is there by the owner, its figures as counted. */
export const handleGetAgent = (reader: AgentReader): ServiceHandler<typeof getAgent> => ({
  operation: getAgent,
  async handle({ agentId }, caller) {
    const { output: live, seq } = await reader.lookUp(agentId, caller);
    const figures = await reader.figures(caller.project, live);
    const { lastSeenAt: _seen, load: _l, cpu: _c, memory: _m, network: _n, ...registered } = live;
    const output = {
      ...registered,
      ...figures,
      capabilities: live.capabilityDetails.map(({ capability }) => capability),
      utilisation: utilisation(figures.activeTasks, live.maxConcurrentTasks),
    };
    return { output, seq };
  },
});
