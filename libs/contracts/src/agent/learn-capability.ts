import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { AGENT_NOT_FOUND, TOO_MANY_CAPABILITIES } from './refusals.js';
import { clientId, label } from '../schemas.js';

export const learnCapability = defineCommand({
  name: 'agent.learnCapability',
  summary: 'Add a capability to an agent by hand.',
  scope: 'agents:write',
  to: { partition: 'agent' },
  http: { method: 'POST', path: '/v1/agents/{agentId}/capabilities' },
  input: z.strictObject({
    agentId: clientId,
    capability: label,
    confidence: z.number().min(0).max(1).default(1),
  }),
  output: z.object({ agentId: clientId, capabilities: z.array(label) }),
  refusals: [AGENT_NOT_FOUND, TOO_MANY_CAPABILITIES],
  idempotent: true,
});
