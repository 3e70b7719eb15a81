import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { AGENT_ID_TAKEN, TOO_MANY_AGENTS } from './refusals.js';
import { clientId, count, label, metadata, newAgentId } from '../schemas.js';

export const registerAgent = defineCommand({
  name: 'agent.register',
  summary: 'An agent says what it can do; opens a new session and ends the one before.',
  scope: 'agents:write',
  agentsToo: true,
  agentVerb: 'register',
  to: { partition: 'agent' },
  http: { method: 'PUT', path: '/v1/agents/{agentId}' },
  input: z.strictObject({
    agentId: newAgentId,
    capabilities: z.array(label).max(limits.CAPABILITIES_MAX),
    maxConcurrentTasks: z
      .int()
      .min(1)
      .max(limits.MAX_CONCURRENT_TASKS_MAX)
      .default(limits.MAX_CONCURRENT_TASKS_DEFAULT),
    /** Instances of one kind share record and statistics; default: the agent's own id. */
    kind: clientId.optional(),
    metadata: metadata.optional(),
  }),
  output: z.object({
    agentId: clientId,
    registered: z.boolean(),
    session: count,
    heartbeatMs: count,
    seq: count,
  }),
  refusals: [AGENT_ID_TAKEN, TOO_MANY_AGENTS],
});
