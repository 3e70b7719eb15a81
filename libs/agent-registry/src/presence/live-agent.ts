import type { AgentStatus } from '@athena/contracts';
import type { PresenceBook } from '../domain/presence.js';
import {
  keyOf,
  type Agent,
  type Registration,
  type RegistryState,
} from '../domain/registry-state.js';
import type { LiveAgent } from '../operations/owner-queries.js';

/** The agent's status as anyone is shown it; drained or not, who is away is offline. */
export function statusOf(
  { presence, draining }: Registration,
  standing: ReturnType<PresenceBook['standing']>,
): AgentStatus {
  if (presence !== 'present') return 'offline';
  if (draining) return 'draining';
  return standing === 'fresh' ? 'online' : 'degraded';
}

/** An agent's registration together with its presence. */
export function liveAgent(
  agent: Agent,
  registration: Registration,
  book: PresenceBook,
  now: number,
): LiveAgent {
  const key = keyOf(agent);
  const { kind, maxConcurrentTasks, mode, session, metadata, registeredAt } = registration;
  const { load = null, cpu = null, memory = null, network = null } = book.report(key);
  const seenAt = book.lastSeenAt(key);
  return {
    agentId: agent.agentId,
    kind,
    status: statusOf(registration, book.standing(key, now)),
    capabilityDetails: detailsOf(registration),
    maxConcurrentTasks,
    mode,
    session,
    registeredAt: new Date(registeredAt).toISOString(),
    metadata,
    lastSeenAt: seenAt === null ? null : new Date(seenAt).toISOString(),
    load,
    cpu,
    memory,
    network,
  };
}

const detailsOf = ({ declared, learned }: Registration): LiveAgent['capabilityDetails'] => [
  ...declared.map((capability) => ({
    capability,
    provenance: 'declared' as const,
    confidence: 1,
  })),
  ...learned.map((skill) => ({ ...skill, provenance: 'manual' as const })),
];

/** The agents in the fleets of all projects. */
export function countByStatus(
  state: RegistryState,
  book: PresenceBook,
  now: number,
): Record<AgentStatus, number> {
  const counts = { online: 0, degraded: 0, offline: 0, draining: 0 };
  for (const agent of state.agents.values()) {
    const { registration } = agent;
    if (!registration || registration.presence === 'left') continue;
    counts[statusOf(registration, book.standing(keyOf(agent), now))]++;
  }
  return counts;
}
