import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { agentRecord } from './record.js';
import { AGENT_NOT_FOUND } from './refusals.js';
import { clientId } from '../schemas.js';

export const getAgent = defineQuery({
  name: 'agent.get',
  summary: 'One agent with its record.',
  scope: 'agents:read',
  to: { service: 'agent-registry' },
  http: { method: 'GET', path: '/v1/agents/{agentId}' },
  input: z.strictObject({ agentId: clientId }),
  output: agentRecord,
  refusals: [AGENT_NOT_FOUND],
});
