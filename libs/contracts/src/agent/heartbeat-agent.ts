import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { AGENT_ID_TAKEN, AGENT_NOT_FOUND } from './refusals.js';
import { clientId, count } from '../schemas.js';

export const heartbeatAgent = defineCommand({
  name: 'agent.heartbeat',
  summary: 'The agent is alive and tells its load. Never enters the log.',
  scope: 'agents:write',
  agentsToo: true,
  agentVerb: 'heartbeat',
  to: { partition: 'agent' },
  http: { method: 'POST', path: '/v1/agents/{agentId}/heartbeat' },
  input: z.strictObject({
    agentId: clientId,
    load: z.number().min(0).optional(),
    cpu: z.number().min(0).optional(),
    memory: z.number().min(0).optional(),
    network: z.number().min(0).optional(),
  }),
  output: z.object({ agentId: clientId, session: count, heartbeatMs: count }),
  refusals: [AGENT_NOT_FOUND, AGENT_ID_TAKEN],
  idempotent: true,
});
