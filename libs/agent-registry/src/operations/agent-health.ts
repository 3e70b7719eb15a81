import { agentHealth } from '@athena/contracts';
import type { ServiceHandler } from '@athena/service-kit';
import { utilisation } from './agent-rows.js';
import type { AgentReader } from './registry-reader.js';

export const handleAgentHealth = (reader: AgentReader): ServiceHandler<typeof agentHealth> => ({
  operation: agentHealth,
  async handle({ agentId }, caller) {
    const { output: live, seq } = await reader.lookUp(agentId, caller);
    const { activeTasks } = await reader.figures(caller.project, live);
    const { status, lastSeenAt, load, cpu, memory, network, maxConcurrentTasks } = live;
    const output = {
      agentId,
      status,
      utilisation: utilisation(activeTasks, maxConcurrentTasks),
      activeTasks,
      lastSeenAt,
      load,
      cpu,
      memory,
      network,
    };
    return { output, seq };
  },
});
