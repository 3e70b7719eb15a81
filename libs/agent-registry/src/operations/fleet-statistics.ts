import { fleetStatistics, type AgentStatus } from '@athena/contracts';
import type { Output } from '@athena/operation';
import type { ServiceHandler } from '@athena/service-kit';
import { utilisation } from './agent-rows.js';
import type { RegistryReader } from './registry-reader.js';

/** Capabilities that the figures name, in the order of their names. */
export const STATISTICS_SKILLS_MAX = 1_000;

const BY_STATUS = `
  select case when status = 'online' and agent_id = any($2) then 'degraded' else status end
      as shown, count(*)::int as agents,
    sum(max_concurrent_tasks) as slots, sum(active_tasks) as taken
  from agents
  where project = $1 and status <> 'deregistered'
  group by shown`;

const SKILLS = `
  select capability, count(*)::int as agents, min(agent_id) as agent_id
  from agents, unnest(capabilities) as capability
  where project = $1 and status in ('online', 'draining')
  group by capability
  order by capability collate "C"
  limit $2`;

interface StatusRow {
  readonly shown: AgentStatus;
  readonly agents: number;
  readonly slots: number;
  readonly taken: number;
}

interface SkillRow {
  readonly capability: string;
  readonly agents: number;
  readonly agent_id: string;
}

export const handleFleetStatistics = (
  reader: RegistryReader,
): ServiceHandler<typeof fleetStatistics> => ({
  operation: fleetStatistics,
  async handle({ minSeq }, caller) {
    const seq = await reader.reach(minSeq);
    const late = await reader.late(caller, []);
    const [statuses, skills] = await Promise.all([
      reader.rows<StatusRow>('agents_by_status', BY_STATUS, [caller.project, late]),
      reader.rows<SkillRow>('agents_skills', SKILLS, [caller.project, STATISTICS_SKILLS_MAX]),
    ]);
    return { output: { ...inFigures(statuses), ...inSkills(skills) }, seq };
  },
});

type Statistics = Output<typeof fleetStatistics>;

function inFigures(
  rows: readonly StatusRow[],
): Omit<Statistics, 'skills' | 'singlePointsOfFailure'> {
  const byStatus = { online: 0, degraded: 0, offline: 0, draining: 0 };
  for (const { shown, agents } of rows) byStatus[shown] = agents;
  // Late or not, they take work.
  const working = rows.filter(({ shown }) => shown === 'online' || shown === 'degraded');
  const capacity = working.reduce((sum, { slots }) => sum + slots, 0);
  const activeTasks = working.reduce((sum, { taken }) => sum + taken, 0);
  const total = rows.reduce((sum, { agents }) => sum + agents, 0);
  return {
    total,
    byStatus,
    capacity,
    activeTasks,
    utilisation: utilisation(activeTasks, capacity),
  };
}

const inSkills = (
  rows: readonly SkillRow[],
): Pick<Statistics, 'skills' | 'singlePointsOfFailure'> => ({
  skills: Object.fromEntries(rows.map(({ capability, agents }) => [capability, agents])),
  singlePointsOfFailure: rows
    .filter(({ agents }) => agents === 1)
    .map(({ capability, agent_id: agentId }) => ({ capability, agentId })),
});
