import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { agentStatus } from './record.js';
import { clientId, count, label, page } from '../schemas.js';

export const fleetStatistics = defineQuery({
  name: 'agent.statistics',
  summary: 'The fleet in figures.',
  scope: 'agents:read',
  to: { service: 'agent-registry' },
  http: { method: 'GET', path: '/v1/agents/statistics' },
  input: z.strictObject({ minSeq: page.minSeq }),
  output: z.object({
    total: count,
    byStatus: z.record(agentStatus, count),
    /** Slots over all agents that are online, and how many are taken. */
    capacity: count,
    activeTasks: count,
    utilisation: z.number(),
    /** Capability → agents present that have it. */
    skills: z.record(z.string(), count),
    /** Capabilities that exactly one present agent has. */
    singlePointsOfFailure: z.array(z.object({ capability: label, agentId: clientId })),
  }),
  refusals: [NOT_CAUGHT_UP],
});
