import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { sessionEnd } from './events.js';
import { AGENT_ID_TAKEN, AGENT_NOT_FOUND, TOO_MANY_AGENTS } from './refusals.js';
import { clientId, count } from '../schemas.js';

export const bindAgent = defineCommand({
  name: 'agent.bind',
  summary: 'An agent id connects with a credential (internal): the first one keeps it.',
  to: { partition: 'agent' },
  input: z.object({ agentId: clientId, credential: z.string() }),
  output: z.object({ agentId: clientId }),
  refusals: [AGENT_ID_TAKEN, TOO_MANY_AGENTS],
  idempotent: true,
});

export const endSession = defineCommand({
  name: 'agent.endSession',
  summary: 'An agent is gone (internal): its connection closed, or it was silent too long.',
  to: { partition: 'agent' },
  input: z.object({ agentId: clientId, session: count, reason: sessionEnd }),
  output: z.object({ ended: z.boolean() }),
  refusals: [],
  idempotent: true,
});

export const countPerformance = defineCommand({
  name: 'agent.countPerformance',
  summary: 'Record a performance report that names no task of ours (internal).',
  to: { partition: 'agent' },
  input: z.object({
    agentId: clientId,
    success: z.boolean(),
    durationMs: z.number(),
    reportId: z.string().optional(),
  }),
  output: z.object({ counted: z.boolean() }),
  refusals: [AGENT_NOT_FOUND],
});
