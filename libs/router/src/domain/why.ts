import type { Output } from '@athena/operation';
import type { WaitReason, explainTask } from '@athena/contracts';
import type { Agent } from './agent.js';
import type { Fleet } from './fleet.js';
import type { Pause } from './pauses.js';
import { keptAway, type Pool } from './policy.js';
import { Concurrency, type Rate } from './quota.js';
import type { RequirementSet } from './requirement-set.js';
import type { RouterState } from './router-state.js';
import type { Task } from './task.js';
import type { Terms } from './terms.js';

export interface Why {
  readonly reason: WaitReason;
  readonly detail: string;
  readonly limit?: Output<typeof explainTask>['limit'];
}

/** Tasks that are ready and alike, or one of them. */
interface Ready {
  readonly set: RequirementSet;
  readonly excluded: readonly string[];
  readonly avoided: readonly string[];
  readonly terms: Terms | null;
}

/** How many ids or names a detail lists. */
const LISTED_MAX = 5;

/**
 * Why a pending task is with no agent (product T12). First what it waits for by itself
 * (dependencies, scheduled, backoff), a pause, and whether it is routed at all (manual); then what
 * nobody but people can change (no_capable_agent, excluded, absent); then its limits
 * (concurrency_key, rate_limited), and at last that agents are full, or that it is next.
 */
export function whyWaiting(
  task: Task,
  { fleet, pauses }: Pick<RouterState, 'fleet' | 'pauses'>,
  now: number,
): Why {
  const { waitsFor, gate } = task;
  if (waitsFor) {
    const tasks = waitsFor.size === 1 ? 'task' : 'tasks';
    return { reason: 'dependencies', detail: `waits for ${tasks} ${listed([...waitsFor])}` };
  }
  if (gate) return whyNotDue(gate);
  const pause = task.proposal ? null : pauses.of(task.project, task.taskType);
  if (pause) return { reason: 'paused', detail: pausedDetail(pause) };
  if (!task.autoRoute && !task.proposal) {
    const detail = 'autoRoute is false: it is given to an agent by hand (assign or dispatch)';
    return { reason: 'manual', detail };
  }
  if (task.proposal) {
    const { agentId } = task.proposal.agent;
    return { reason: 'routing', detail: `is about to be assigned to ${agentId}` };
  }
  const why = whyReady(task, fleet, now);
  if (!CONTENDED.has(why.reason)) return why;
  return { ...why, detail: [why.detail, ...orderOf(task)].join('; ') };
}

/** Reasons for which the order of tasks matters. */
const CONTENDED: ReadonlySet<WaitReason> = new Set([
  'concurrency_key',
  'rate_limited',
  'agents_full',
]);

/** What changes a task's place beside its priority and its age. */
function orderOf({ rank, agedRank, group }: Task): string[] {
  const keys = group?.project.keys ?? 1;
  return [
    ...(agedRank < rank ? [`it waited long and counts as ${CLASSES[agedRank]}`] : []),
    ...(keys > 1 ? [`tasks of ${keys} fairness keys take turns`] : []),
  ];
}

const CLASSES = ['high', 'medium', 'low'] as const;

/** Why tasks that wait for nothing of their own are with no agent. */
export function whyReady({ set, excluded, avoided, terms }: Ready, fleet: Fleet, now: number): Why {
  const { members, requirements, project } = set;
  const why = whyNobody({ members, excluded, avoided }, requirements, project, fleet);
  if (why.reason !== 'agents_full' && why.reason !== 'routing') return why;
  const quota = terms?.spent(now);
  return quota ? whyLimited(quota, now) : why;
}

/** What keeps tasks from being proposed although agents could take them. */
export function whyLimited(quota: Concurrency | Rate, now: number): Why {
  const { name: key } = quota;
  if (quota instanceof Concurrency) {
    const { max } = quota;
    const running = quota.running + quota.reserved;
    const detail = `concurrency key ${key}: ${running} with agents, of at most ${max}`;
    return { reason: 'concurrency_key', detail, limit: { key, max, running } };
  }
  const { limit, periodMs } = quota;
  const nextAt = new Date(quota.roomAt(1, now)).toISOString();
  const detail = `rate limit ${key}: ${limit} in ${periodMs} ms; the next may begin at ${nextAt}`;
  return { reason: 'rate_limited', detail, limit: { key, limit, periodMs, nextAt } };
}

/** Whose doing it is, since when, and how far it reaches. */
export function pausedDetail({ taskType, by, since }: Pause): string {
  const what = taskType === null ? 'the project' : `the task type ${taskType}`;
  return `${what} is paused since ${new Date(since).toISOString()} by ${by}`;
}

function whyNotDue({ why, until }: NonNullable<Task['gate']>): Why {
  const at = new Date(until).toISOString();
  return why === 'scheduled'
    ? { reason: 'scheduled', detail: `is planned for ${at}` }
    : { reason: 'backoff', detail: `its last attempt failed; the next may begin at ${at}` };
}

/** Why the policy finds nobody for tasks that are ready. */
export function whyNobody(
  pool: Pool,
  requirements: readonly string[],
  project: string,
  fleet: Fleet,
): Why {
  const { members, excluded } = pool;
  if (members.length === 0) return whyNobodyCapable(requirements, project, fleet);
  const allowed = members.filter(({ agentId }) => !excluded.includes(agentId));
  if (allowed.length === 0) {
    const who = listed(members.map(({ agentId }) => agentId));
    return { reason: 'excluded', detail: `the task excludes all capable agents: ${who}` };
  }
  const present = allowed.filter(({ reachable }) => reachable);
  if (present.length === 0) return whyAbsent(allowed);
  const away = keptAway(pool);
  const kept = present.filter(({ agentId }) => away.includes(agentId));
  const eligible = present.filter(({ agentId }) => !away.includes(agentId));
  if (eligible.some(({ free }) => free > 0)) {
    return { reason: 'routing', detail: 'a capable agent has free capacity; it is next' };
  }
  if (kept.some(({ free }) => free > 0)) {
    const who = listed(kept.map(({ agentId }) => agentId));
    const detail = `${who} vanished with it before; the other capable agents have no free capacity`;
    return { reason: 'excluded', detail };
  }
  return whyFull(eligible);
}

function whyNobodyCapable(requirements: readonly string[], project: string, fleet: Fleet): Why {
  const reason = 'no_capable_agent';
  if (requirements.length === 0) return { reason, detail: 'no agent is registered' };
  const missing = fleet.missing(project, requirements);
  const detail =
    missing.length > 0
      ? `no registered agent has ${listed(missing)}`
      : `no registered agent has all of ${listed(requirements)} together`;
  return { reason, detail };
}

function whyAbsent(capable: readonly Agent[]): Why {
  const draining = capable.filter(({ present, draining }) => present && draining).length;
  const away = capable.length - draining;
  const parts = [
    ...(away > 0 ? [`${away} away`] : []),
    ...(draining > 0 ? [`${draining} draining`] : []),
  ];
  const who = listed(capable.map(({ agentId }) => agentId));
  return {
    reason: 'absent',
    detail: `capable agents take no work now (${parts.join(', ')}): ${who}`,
  };
}

function whyFull(present: readonly Agent[]): Why {
  const full = present.filter(({ room }) => room === 0).length;
  const silent = present.length - full;
  const parts = [
    ...(full > 0 ? [`${full} at maxConcurrentTasks`] : []),
    ...(silent > 0 ? [`${silent} without an open claim`] : []),
  ];
  return {
    reason: 'agents_full',
    detail: `${present.length} capable agents are present: ${parts.join(', ')}`,
  };
}

function listed(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  const shown = names.slice(0, LISTED_MAX).join(', ');
  return more > 0 ? `${shown} and ${more} more` : shown;
}
