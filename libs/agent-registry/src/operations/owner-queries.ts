import {
  AGENT_NOT_FOUND,
  agentMode,
  agentStatus,
  capabilityRecord,
  clientId,
  count,
  instant,
  metadata,
} from '@athena/contracts';
import { defineQuery, type Output } from '@athena/operation';
import { z } from 'zod';

/*
 * What only the owner of the registry can say, because it is the newest or in its memory alone.
 * Asked by the processes of this service; nobody else calls these.
 */

export const lookUpAgent = defineQuery({
  name: 'agent.lookUp',
  summary: 'One agent as the registry has it now, with its presence (internal).',
  to: { partition: 'agent' },
  input: z.object({ agentId: clientId }),
  output: z.object({
    agentId: clientId,
    kind: clientId,
    status: agentStatus,
    capabilityDetails: z.array(capabilityRecord),
    maxConcurrentTasks: count,
    mode: agentMode,
    session: count,
    registeredAt: instant,
    metadata: metadata.nullable(),
    lastSeenAt: instant.nullable(),
    load: z.number().nullable(),
    cpu: z.number().nullable(),
    memory: z.number().nullable(),
    network: z.number().nullable(),
  }),
  refusals: [AGENT_NOT_FOUND],
});
export type LiveAgent = Output<typeof lookUpAgent>;

export const lateAgents = defineQuery({
  name: 'agent.late',
  summary: 'The project’s agents that are present but late with their heartbeats (internal).',
  to: { partition: 'agent' },
  input: z.object({}),
  output: z.object({ agentIds: z.array(clientId) }),
  refusals: [],
});
