import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { agentStatus } from './record.js';
import { AGENT_ID_TAKEN, AGENT_NOT_FOUND } from './refusals.js';
import { clientId } from '../schemas.js';

export const resumeAgent = defineCommand({
  name: 'agent.resume',
  summary: 'End a drain: the agent gets new work again. Registering anew ends it too.',
  scope: 'agents:write',
  agentsToo: true,
  to: { partition: 'agent' },
  http: { method: 'POST', path: '/v1/agents/{agentId}/resume' },
  input: z.strictObject({ agentId: clientId }),
  output: z.object({ agentId: clientId, status: agentStatus }),
  refusals: [AGENT_NOT_FOUND, AGENT_ID_TAKEN],
  idempotent: true,
});
