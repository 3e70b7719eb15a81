import { violation, type AgentFact, type TaskFact, type Violation } from './recorded.js';

type Limit = readonly [seq: number, tasks: number];

const RELEASES: readonly TaskFact['type'][] = [
  'TaskCompleted',
  'TaskFailed',
  'TaskCancelled',
  'TaskReleased',
  'AttemptFailed',
];

/** C7: nobody has more tasks than the registry allowed where the decision had read it. */
export function checkLoad(tasks: readonly TaskFact[], agents: readonly AgentFact[]): Violation[] {
  const limits = limitsOf(agents);
  const holders = new Map<string, string>();
  return tasks.flatMap((fact) => {
    if (RELEASES.includes(fact.type)) holders.delete(fact.id);
    if (fact.type !== 'TaskAssigned') return [];
    const { agentId, decision } = fact.data;
    holders.set(fact.id, agentId);
    const has = [...holders.values()].filter((holder) => holder === agentId).length;
    const [, limit = 0] =
      limits.get(agentId)?.findLast(([seq]) => seq <= decision.registrySeq) ?? [];
    if (has <= limit) return [];
    return [violation('C7', `${agentId} has ${has} tasks of ${limit} at ${fact.seq}`)];
  });
}

function limitsOf(agents: readonly AgentFact[]): Map<string, Limit[]> {
  const limits = new Map<string, Limit[]>();
  for (const fact of agents) {
    if (fact.type !== 'AgentRegistered') continue;
    const known = limits.get(fact.id) ?? [];
    limits.set(fact.id, [...known, [fact.seq, fact.data.maxConcurrentTasks]]);
  }
  return limits;
}
