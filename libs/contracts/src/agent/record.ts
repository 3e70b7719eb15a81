import { z } from 'zod';
import { clientId, count, instant, label, metadata } from '../schemas.js';

/** degraded: present, but its heartbeats are late. */
export const agentStatus = z.enum(['online', 'degraded', 'offline', 'draining']);
export type AgentStatus = z.output<typeof agentStatus>;

/** claim: work only against open credits; poll: work up to maxConcurrentTasks while present. */
export const agentMode = z.enum(['claim', 'poll']);
export type AgentMode = z.output<typeof agentMode>;

export const capabilityRecord = z.object({
  capability: label,
  provenance: z.enum(['declared', 'manual']),
  confidence: z.number().min(0).max(1),
});

export const agentRecord = z.object({
  agentId: clientId,
  kind: clientId,
  status: agentStatus,
  capabilities: z.array(label),
  capabilityDetails: z.array(capabilityRecord),
  maxConcurrentTasks: count,
  activeTasks: count,
  utilisation: z.number(),
  mode: agentMode,
  session: count,
  registeredAt: instant,
  metadata: metadata.nullable(),
  /** Of the agent's kind (see performance.ts). */
  completed: count,
  failed: count,
  successRate: z.number(),
  avgCompletionMs: z.number().nullable(),
});
export type AgentRecord = z.output<typeof agentRecord>;
