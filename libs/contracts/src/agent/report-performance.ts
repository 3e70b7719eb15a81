import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { AGENT_NOT_FOUND } from './refusals.js';
import { clientId } from '../schemas.js';

export const reportPerformance = defineCommand({
  name: 'agent.reportPerformance',
  summary: 'Count work done outside Athena. A report naming a task of Athena changes nothing.',
  scope: 'agents:write',
  to: { service: 'agent-registry' },
  http: { method: 'POST', path: '/v1/agents/{agentId}/performance' },
  input: z.strictObject({
    agentId: clientId,
    success: z.boolean(),
    durationMs: z.number().min(0),
    /** The work's own id; a task's id of Athena makes the report a no-op. */
    taskId: clientId.optional(),
    idempotencyKey: clientId.optional(),
  }),
  output: z.object({ agentId: clientId, counted: z.boolean() }),
  refusals: [AGENT_NOT_FOUND],
});
