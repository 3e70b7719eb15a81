import { tellCancelled } from '@athena/contracts';
import type { ServiceHandler } from '@athena/service-kit';
import type { Router } from '../router.js';

/** For the registry, which answers agents' heartbeats. */
export const tellOfCancelled = (router: Router): ServiceHandler<typeof tellCancelled> => ({
  operation: tellCancelled,
  async handle({ agentId, heard }, { project }) {
    const { routing } = router;
    const { fleet, seq } = routing.state;
    const agent = fleet.get(project, agentId);
    if (agent) routing.desk.cancelled.heard(agent, heard);
    return { output: { cancelled: agent ? routing.cancelledOf(agent) : [] }, seq };
  },
});
