import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { agentRecord, agentStatus } from './record.js';
import { label, page } from '../schemas.js';

export const findAgents = defineQuery({
  name: 'agent.find',
  summary: 'Agents that have ALL the named capabilities; without any, every agent.',
  scope: 'agents:read',
  to: { service: 'agent-registry' },
  http: { method: 'GET', path: '/v1/agents', query: { capability: 'requirements' } },
  input: z.strictObject({
    requirements: z.array(label).max(limits.REQUIREMENTS_MAX).default([]),
    status: agentStatus.optional(),
    ...page,
  }),
  output: z.object({ agents: z.array(agentRecord), nextCursor: z.string().nullable() }),
  refusals: [NOT_CAUGHT_UP],
});
