import { defineEvent, type EventOf } from '@athena/operation';
import { z } from 'zod';
import { clientId, count, label, metadata } from '../schemas.js';
import { agentMode } from './record.js';

/* Storage format: see the note in task/events.ts. */
const aggregate = 'agent';

export const agentBound = defineEvent({
  type: 'AgentBound',
  version: 1,
  aggregate,
  summary: 'The agent id belongs to this credential from now on.',
  data: z.object({ credential: z.string() }),
});

export const agentRegistered = defineEvent({
  type: 'AgentRegistered',
  version: 1,
  aggregate,
  summary: 'The agent registered (anew): a session begins, the one before has ended.',
  data: z.object({
    session: count,
    kind: clientId,
    capabilities: z.array(label),
    maxConcurrentTasks: count,
    mode: agentMode,
    metadata: metadata.optional(),
  }),
});

export const agentReturned = defineEvent({
  type: 'AgentReturned',
  version: 1,
  aggregate,
  summary: 'An agent that was away made contact: a new session under the same registration.',
  data: z.object({ session: count }),
});

export const sessionEnd = z.enum(['silent', 'disconnected', 'deregistered', 'replaced']);
export type SessionEnd = z.output<typeof sessionEnd>;

export const agentSessionEnded = defineEvent({
  type: 'AgentSessionEnded',
  version: 1,
  aggregate,
  summary: 'A session is over: leases that rest on it (or on older ones) go back.',
  data: z.object({ session: count, reason: sessionEnd }),
});

export const agentDraining = defineEvent({
  type: 'AgentDraining',
  version: 1,
  aggregate,
  summary: 'The agent takes no new work.',
  data: z.object({ session: count }),
});

export const agentResumed = defineEvent({
  type: 'AgentResumed',
  version: 1,
  aggregate,
  summary: 'The agent takes new work again.',
  data: z.object({ session: count }),
});

export const agentDeregistered = defineEvent({
  type: 'AgentDeregistered',
  version: 1,
  aggregate,
  summary: 'The agent left the fleet. Its id stays with its credential.',
  data: z.object({ session: count }),
});

export const capabilityLearned = defineEvent({
  type: 'CapabilityLearned',
  version: 1,
  aggregate,
  summary: 'The agent has one more capability, or more confidence in one.',
  data: z.object({
    capability: label,
    provenance: z.enum(['manual']),
    confidence: z.number(),
  }),
});

export const performanceReported = defineEvent({
  type: 'PerformanceReported',
  version: 1,
  aggregate,
  summary: 'Work done outside Athena counts for the agent’s kind.',
  data: z.object({
    kind: clientId,
    success: z.boolean(),
    durationMs: z.number(),
    reportId: z.string().optional(),
  }),
});

export const agentEvents = [
  agentBound,
  agentRegistered,
  agentReturned,
  agentSessionEnded,
  agentDraining,
  agentResumed,
  agentDeregistered,
  capabilityLearned,
  performanceReported,
] as const;

export type AgentEvent = EventOf<(typeof agentEvents)[number]>;
