import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { agentStatus } from './record.js';
import { AGENT_ID_TAKEN, AGENT_NOT_FOUND } from './refusals.js';
import { clientId } from '../schemas.js';

export const drainAgent = defineCommand({
  name: 'agent.drain',
  summary: 'The agent finishes what it has and gets nothing new.',
  scope: 'agents:write',
  agentsToo: true,
  agentVerb: 'drain',
  to: { partition: 'agent' },
  http: { method: 'POST', path: '/v1/agents/{agentId}/drain' },
  input: z.strictObject({ agentId: clientId }),
  output: z.object({ agentId: clientId, status: agentStatus }),
  refusals: [AGENT_NOT_FOUND, AGENT_ID_TAKEN],
  idempotent: true,
});
