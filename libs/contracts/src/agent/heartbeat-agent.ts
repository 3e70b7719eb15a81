import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { cancelledTasks } from '../task/record.js';
import { AGENT_ID_TAKEN, AGENT_NOT_FOUND } from './refusals.js';
import { clientId, count, uuid } from '../schemas.js';

export const heartbeatAgent = defineCommand({
  name: 'agent.heartbeat',
  summary: 'The agent is alive and tells its load. Never enters the log.',
  scope: 'agents:write',
  agentsToo: true,
  agentVerb: 'heartbeat',
  to: { service: 'agent-registry' },
  http: { method: 'POST', path: '/v1/agents/{agentId}/heartbeat' },
  input: z.strictObject({
    agentId: clientId,
    load: z.number().min(0).optional(),
    cpu: z.number().min(0).optional(),
    memory: z.number().min(0).optional(),
    network: z.number().min(0).optional(),
    /** Cancelled tasks that answers have named: they are not named any more. */
    heard: z.array(uuid).max(limits.CANCELLED_KEPT_MAX).optional(),
  }),
  output: z.object({
    agentId: clientId,
    session: count,
    heartbeatMs: count,
    cancelled: cancelledTasks,
  }),
  refusals: [AGENT_NOT_FOUND, AGENT_ID_TAKEN],
  idempotent: true,
});
