import { successRate, type AgentRecord, type AgentStatus } from '@athena/contracts';
import { performanceOf } from '../projections/agent-records.js';
import type { ReadRows } from './read-rows.js';

/** What the projections hold of an agent besides its registration. */
export type AgentFigures = Pick<
  AgentRecord,
  'activeTasks' | 'completed' | 'failed' | 'successRate' | 'avgCompletionMs'
>;

export interface AgentQuery {
  readonly project: string;
  readonly requirements: readonly string[];
  readonly status?: AgentStatus | undefined;
  /** Agents that are present and late, which the projection can't know. */
  readonly late: readonly string[];
  /** Only agents behind this one. */
  readonly after: string;
  readonly limit: number;
}

interface FiguresRow {
  readonly active_tasks: number;
  readonly completed: number;
  readonly failed: number;
  readonly avg_completion_ms: number | null;
}

interface FoundRow extends FiguresRow {
  readonly agent_id: string;
  readonly kind: string;
  readonly status: AgentStatus;
  readonly capabilities: string[];
  readonly capability_details: AgentRecord['capabilityDetails'];
  readonly max_concurrent_tasks: number;
  readonly mode: AgentRecord['mode'];
  readonly session: number;
  /** Milliseconds. */
  readonly registered_at: number;
  readonly metadata: Record<string, unknown> | null;
}

/** `degraded` is the one status that events don't tell. */
const STATUS = `case when a.status = 'online' and a.agent_id = any($2) then 'degraded'
  else a.status end`;

const RECORD = `coalesce(r.completed, 0) as completed, coalesce(r.failed, 0) as failed,
  r.avg_completion_ms`;

const FIND = `
  select a.agent_id, a.kind, ${STATUS} as status, a.capabilities, a.capability_details,
    a.max_concurrent_tasks, a.active_tasks, a.mode, a.session, a.registered_at, a.metadata,
    ${RECORD}
  from agents a left join agent_records r on r.project = a.project and r.kind = a.kind
  where a.project = $1 and a.status <> 'deregistered' and a.capabilities @> $3
    and a.agent_id > $4 and ($5::text is null or ${STATUS} = $5)
  order by a.agent_id
  limit $6`;

const FIGURES = `
  select coalesce(a.active_tasks, 0) as active_tasks, ${RECORD}
  from (values ($1::text, $2::text, $3::text)) as asked (project, agent_id, kind)
  left join agents a on a.project = asked.project and a.agent_id = asked.agent_id
  left join agent_records r on r.project = asked.project and r.kind = asked.kind`;

/** Agents of a project that have all the capabilities, in the order of their ids. */
export async function findAgentRows(read: ReadRows, query: AgentQuery): Promise<AgentRecord[]> {
  const { project, requirements, status = null, late, after, limit } = query;
  const values = [project, late, requirements, after, status, limit];
  return (await read<FoundRow>('agents_find', FIND, values)).map(recordOf);
}

export async function readFigures(
  read: ReadRows,
  project: string,
  { agentId, kind }: { agentId: string; kind: string },
): Promise<AgentFigures> {
  const [row] = await read<FiguresRow>('agents_figures', FIGURES, [project, agentId, kind]);
  return figuresOf(row as FiguresRow);
}

export const figuresOf = (row: FiguresRow): AgentFigures => ({
  activeTasks: row.active_tasks,
  completed: row.completed,
  failed: row.failed,
  successRate: successRate(performanceOf(row)),
  avgCompletionMs: row.avg_completion_ms,
});

const recordOf = (row: FoundRow): AgentRecord => ({
  agentId: row.agent_id,
  kind: row.kind,
  status: row.status,
  capabilities: row.capabilities,
  capabilityDetails: row.capability_details,
  maxConcurrentTasks: row.max_concurrent_tasks,
  utilisation: utilisation(row.active_tasks, row.max_concurrent_tasks),
  mode: row.mode,
  session: row.session,
  registeredAt: new Date(row.registered_at).toISOString(),
  metadata: row.metadata,
  ...figuresOf(row),
});

/** (assigned + running) ÷ slots; 0 where there are no slots. */
export const utilisation = (active: number, slots: number): number =>
  slots === 0 ? 0 : active / slots;
