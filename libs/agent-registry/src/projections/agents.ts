import type { AgentEvent, AgentMode, AgentRecord, TaskEvent } from '@athena/contracts';
import type { LoggedEvent } from '@athena/event-log';
import { defineProjection, type Placed, type Projection } from '@athena/projection/define';

type CapabilityRecord = AgentRecord['capabilityDetails'][number];

/** One agent as registered, with the number of tasks it holds. Stays after it deregistered. */
export interface AgentRow {
  readonly project: string;
  readonly agent_id: string;
  readonly kind: string;
  /** Whether heartbeats are late is not in the log, so `degraded` is not here. */
  readonly status: 'online' | 'draining' | 'offline' | 'deregistered';
  readonly draining: boolean;
  readonly mode: AgentMode;
  readonly session: number;
  readonly capabilities: readonly string[];
  readonly capability_details: readonly CapabilityRecord[];
  readonly max_concurrent_tasks: number;
  readonly metadata: Record<string, unknown> | null;
  /** Milliseconds. */
  readonly registered_at: number;
  readonly active_tasks: number;
}

type Event = AgentEvent | TaskEvent;
type DataOf<T extends Event['type']> = Extract<Event, { type: T }>['data'];

export const agents: Projection = defineProjection<AgentRow>({
  name: 'agents',
  version: 1,
  table: 'agents_v1',
  key: ['project', 'agent_id'],
  columns: [
    { name: 'project', type: 'text' },
    { name: 'agent_id', type: 'text' },
    { name: 'kind', type: 'text' },
    { name: 'status', type: 'text' },
    { name: 'draining', type: 'bool' },
    { name: 'mode', type: 'text' },
    { name: 'session', type: 'int8' },
    { name: 'capabilities', type: 'text[]' },
    { name: 'capability_details', type: 'jsonb' },
    { name: 'max_concurrent_tasks', type: 'int4' },
    { name: 'metadata', type: 'jsonb', nullable: true },
    { name: 'registered_at', type: 'timestamptz' },
    { name: 'active_tasks', type: 'int4' },
  ],
  aggregates: ['agent', 'task'],
  keyOf(logged) {
    const agentId = agentOf(logged as unknown as Event);
    return agentId === undefined ? null : [logged.project, agentId];
  },
  apply(row, logged, { at }) {
    const event = logged as unknown as Event;
    if (event.type === 'AgentRegistered') return registered(row, logged, event.data, at);
    return row && changed(row, event);
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

function registered(
  row: AgentRow | null,
  { project, id }: LoggedEvent,
  data: DataOf<'AgentRegistered'>,
  at: Placed['at'],
): AgentRow {
  return {
    project,
    agent_id: id,
    kind: data.kind,
    status: 'online',
    draining: false,
    mode: data.mode,
    session: data.session,
    capabilities: data.capabilities,
    capability_details: data.capabilities.map(declared),
    max_concurrent_tasks: data.maxConcurrentTasks,
    metadata: data.metadata ?? null,
    registered_at: at,
    // Leases of the session before are given back by events of their own.
    active_tasks: row?.active_tasks ?? 0,
  };
}

const declared = (capability: string): CapabilityRecord => ({
  capability,
  provenance: 'declared',
  confidence: 1,
});

function changed(row: AgentRow, event: Event): AgentRow {
  switch (event.type) {
    case 'AgentReturned':
      return {
        ...row,
        status: row.draining ? 'draining' : 'online',
        session: event.data.session,
      };
    case 'AgentSessionEnded':
      return { ...row, status: 'offline' };
    case 'AgentDraining':
      return { ...row, draining: true, status: row.status === 'online' ? 'draining' : row.status };
    case 'AgentResumed':
      return { ...row, draining: false, status: row.status === 'draining' ? 'online' : row.status };
    case 'AgentDeregistered':
      return { ...row, status: 'deregistered' };
    case 'CapabilityLearned':
      return learned(row, event.data);
    case 'TaskAssigned':
      return { ...row, active_tasks: row.active_tasks + 1 };
    // A lease ends by exactly one of these; a task is cancelled with or without one.
    case 'TaskCompleted':
    case 'AttemptFailed':
    case 'TaskFailed':
    case 'TaskReleased':
    case 'TaskCancelled':
    case 'TaskExpired':
      return { ...row, active_tasks: row.active_tasks - 1 };
    default:
      return row;
  }
}

function learned(row: AgentRow, { capability, ...how }: DataOf<'CapabilityLearned'>): AgentRow {
  const others = row.capability_details.filter((known) => known.capability !== capability);
  const details = [...others, { capability, ...how }];
  return {
    ...row,
    capabilities: details.map((known) => known.capability),
    capability_details: details,
  };
}
