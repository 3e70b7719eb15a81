import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { agentStatus } from './record.js';
import { AGENT_NOT_FOUND } from './refusals.js';
import { clientId, count, instant } from '../schemas.js';

export const agentHealth = defineQuery({
  name: 'agent.health',
  summary: 'Is the agent there, how loaded is it, when was it last seen.',
  scope: 'agents:read',
  to: { service: 'agent-registry' },
  http: { method: 'GET', path: '/v1/agents/{agentId}/health' },
  input: z.strictObject({ agentId: clientId }),
  output: z.object({
    agentId: clientId,
    status: agentStatus,
    /** (assigned + running) ÷ maxConcurrentTasks. */
    utilisation: z.number(),
    activeTasks: count,
    lastSeenAt: instant.nullable(),
    load: z.number().nullable(),
    cpu: z.number().nullable(),
    memory: z.number().nullable(),
    network: z.number().nullable(),
  }),
  refusals: [AGENT_NOT_FOUND],
});
