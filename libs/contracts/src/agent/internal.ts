import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { sessionEnd } from './events.js';
import { AGENT_ID_TAKEN, AGENT_NOT_FOUND, TOO_MANY_AGENTS } from './refusals.js';
import { clientId, count, uuid } from '../schemas.js';
import { cancelledTasks } from '../task/record.js';

export const bindAgent = defineCommand({
  name: 'agent.bind',
  summary: 'An agent id connects with a credential (internal): the first one keeps it.',
  to: { partition: 'agent' },
  input: z.object({ agentId: clientId, credential: z.string() }),
  output: z.object({ agentId: clientId }),
  refusals: [AGENT_ID_TAKEN, TOO_MANY_AGENTS],
  idempotent: true,
});

export const beatAgent = defineCommand({
  name: 'agent.beat',
  summary: 'The agent is there (internal): opens a session for one that was away.',
  to: { partition: 'agent' },
  input: z.object({
    agentId: clientId,
    load: z.number().optional(),
    cpu: z.number().optional(),
    memory: z.number().optional(),
    network: z.number().optional(),
  }),
  output: z.object({ agentId: clientId, session: count, heartbeatMs: count }),
  refusals: [AGENT_NOT_FOUND, AGENT_ID_TAKEN],
  idempotent: true,
});

/** The router has seen every task that the agent was ever given. */
export const tellCancelled = defineCommand({
  name: 'agent.tellCancelled',
  summary: 'Which tasks were cancelled under the agent’s hands of late (internal).',
  to: { service: 'router' },
  input: z.object({ agentId: clientId, heard: z.array(uuid) }),
  output: z.object({ cancelled: cancelledTasks }),
  refusals: [],
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
