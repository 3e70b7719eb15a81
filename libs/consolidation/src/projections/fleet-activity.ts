import type { AgentEvent, TaskEvent } from '@athena/contracts';
import { defineProjection, type Projection } from '@athena/projection';

/** What an agent can do, whether it takes work, and when it last had any. */
export interface FleetActivityRow {
  readonly project: string;
  readonly agent_id: string;
  readonly kind: string;
  readonly online: boolean;
  readonly draining: boolean;
  readonly capabilities: readonly string[];
  readonly active_tasks: number;
  /** Milliseconds: of the last session’s begin, assignment or outcome. */
  readonly active_at: number;
}

type Event = AgentEvent | TaskEvent;

export const fleetActivity: Projection = defineProjection<FleetActivityRow>({
  name: 'fleet_activity',
  version: 1,
  table: 'fleet_activity_v1',
  aggregates: ['agent', 'task'],
  key: ['project', 'agent_id'],
  columns: [
    { name: 'project', type: 'text' },
    { name: 'agent_id', type: 'text' },
    { name: 'kind', type: 'text' },
    { name: 'online', type: 'bool' },
    { name: 'draining', type: 'bool' },
    { name: 'capabilities', type: 'text[]' },
    { name: 'active_tasks', type: 'int4' },
    { name: 'active_at', type: 'timestamptz' },
  ],
  keyOf(logged) {
    const agentId = agentOf(logged as unknown as Event);
    return agentId === undefined ? null : [logged.project, agentId];
  },
  apply(row, logged, { at }) {
    const event = logged as unknown as Event;
    if (event.type !== 'AgentRegistered') return row && changed(row, event, at);
    return {
      project: logged.project,
      agent_id: event.id,
      kind: event.data.kind,
      online: true,
      draining: false,
      capabilities: event.data.capabilities,
      // Leases of the session before are given back by events of their own.
      active_tasks: row?.active_tasks ?? 0,
      active_at: at,
    };
  },
});

function agentOf(event: Event): string | undefined {
  switch (event.type) {
    case 'AgentRegistered':
    case 'AgentReturned':
    case 'AgentSessionEnded':
    case 'AgentDraining':
    case 'AgentResumed':
    case 'AgentDeregistered':
    case 'CapabilityLearned':
      return event.id;
    case 'TaskAssigned':
    case 'TaskCompleted':
    case 'AttemptFailed':
    case 'TaskFailed':
    case 'TaskReleased':
    case 'TaskCancelled':
    case 'TaskExpired':
      return event.data.agentId;
    default:
      return undefined;
  }
}

function changed(row: FleetActivityRow, event: Event, at: number): FleetActivityRow {
  switch (event.type) {
    case 'AgentReturned':
      return { ...row, online: true, active_at: at };
    case 'AgentSessionEnded':
    case 'AgentDeregistered':
      return { ...row, online: false };
    case 'AgentDraining':
      return { ...row, draining: true };
    case 'AgentResumed':
      return { ...row, draining: false };
    case 'CapabilityLearned':
      return row.capabilities.includes(event.data.capability)
        ? row
        : { ...row, capabilities: [...row.capabilities, event.data.capability] };
    case 'TaskAssigned':
      return { ...row, active_tasks: row.active_tasks + 1, active_at: at };
    default:
      // What is left ends a lease of this agent.
      return { ...row, active_tasks: row.active_tasks - 1, active_at: at };
  }
}
