import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { AGENT_ID_TAKEN, AGENT_NOT_FOUND } from './refusals.js';
import { clientId } from '../schemas.js';

export const deregisterAgent = defineCommand({
  name: 'agent.deregister',
  summary: 'The agent leaves; its tasks go back.',
  scope: 'agents:write',
  agentsToo: true,
  agentVerb: 'deregister',
  to: { partition: 'agent' },
  http: { method: 'DELETE', path: '/v1/agents/{agentId}' },
  input: z.strictObject({ agentId: clientId }),
  output: z.object({ agentId: clientId, deregistered: z.boolean() }),
  refusals: [AGENT_NOT_FOUND, AGENT_ID_TAKEN],
  idempotent: true,
  destructive: true,
});
