import type { AttemptFigures, Recommendation } from '@athena/contracts';

/** Waiting tasks an online agent with the skill, from which on it is scarce. */
export const SCARCE_WAITING_PER_AGENT = 10;
/** How long a ready task has waited when its queue counts as ageing. */
export const AGEING_MS = 5 * 60_000;
export const AGEING_CRITICAL_MS = 30 * 60_000;
/** Reported outcomes below which a pair's success rate says too little. */
export const FAILING_OUTCOMES_MIN = 10;
export const FAILING_SUCCESS_RATE = 0.5;
export const FAILING_CRITICAL_RATE = 0.2;
/** An online agent without work for this long is idle. */
export const IDLE_MS = 15 * 60_000;
export const IDLE_AGENTS_MIN = 2;
/** Of a kind's online agents. */
export const IDLE_SHARE = 0.5;

/** Ready tasks that need a skill, and the agents that have it. */
export interface SkillDemand {
  readonly skill: string;
  readonly waiting: number;
  readonly agents: number;
}
/** Ready tasks of a type; `oldestMs`: how long the oldest has been ready. */
export interface TypeQueue {
  readonly taskType: string;
  readonly waiting: number;
  readonly oldestMs: number;
}
export interface PairFigures extends Pick<AttemptFigures, 'completed' | 'failed' | 'successRate'> {
  readonly taskType: string;
  readonly kind: string;
}
/** Agents of a kind that take work, and those of them without any for IDLE_MS. */
export interface KindActivity {
  readonly kind: string;
  readonly online: number;
  readonly idle: number;
}
export interface Observations {
  readonly skills: readonly SkillDemand[];
  readonly queues: readonly TypeQueue[];
  readonly pairs: readonly PairFigures[];
  readonly kinds: readonly KindActivity[];
}

const SEVERITIES = ['critical', 'warning', 'info'] as const;

/** What the rules make of the figures, the most severe first. */
export function recommend({ skills, queues, pairs, kinds }: Observations): Recommendation[] {
  const all = [
    ...skills.flatMap(skillScarce),
    ...queues.flatMap(queueAgeing),
    ...pairs.flatMap((pair) => pairFailing(pair, pairs)),
    ...kinds.flatMap(agentsIdle),
  ];
  return all.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
}

function skillScarce({ skill, waiting, agents }: SkillDemand): Recommendation[] {
  if (waiting === 0 || waiting < agents * SCARCE_WAITING_PER_AGENT) return [];
  const have = counted(agents, 'online agent');
  return [
    {
      rule: 'skill_scarce',
      severity: agents === 0 ? 'critical' : 'warning',
      subject: { skill },
      sentence: `${counted(waiting, 'ready task')} for ${have} with the skill ${skill}.`,
      evidence: { waiting, agents, waitingPerAgentFrom: SCARCE_WAITING_PER_AGENT },
      action: `Start agents with the skill ${skill}, or give it to agents that have room.`,
    },
  ];
}

function queueAgeing({ taskType, waiting, oldestMs }: TypeQueue): Recommendation[] {
  if (waiting === 0 || oldestMs < AGEING_MS) return [];
  const minutes = Math.floor(oldestMs / 60_000);
  return [
    {
      rule: 'queue_ageing',
      severity: oldestMs >= AGEING_CRITICAL_MS ? 'critical' : 'warning',
      subject: { taskType },
      sentence: `The oldest of ${counted(waiting, 'ready task')} ${taskType} waits ${minutes} min.`,
      evidence: { waiting, oldestMs, oldestMsFrom: AGEING_MS },
      action: `Ask why the oldest ${taskType} waits (task.explain); add agents if none has room.`,
    },
  ];
}

function pairFailing(pair: PairFigures, pairs: readonly PairFigures[]): Recommendation[] {
  const { taskType, kind, completed, failed, successRate } = pair;
  const outcomes = completed + failed;
  if (outcomes < FAILING_OUTCOMES_MIN || successRate === null) return [];
  if (successRate >= FAILING_SUCCESS_RATE) return [];
  const others = pairs.filter((other) => other.taskType === taskType && other.kind !== kind);
  return [
    {
      rule: 'pair_failing',
      severity: successRate < FAILING_CRITICAL_RATE ? 'critical' : 'warning',
      subject: { taskType, kind },
      sentence: `Agents ${kind} fail ${failed} of ${outcomes} attempts at tasks ${taskType}.`,
      evidence: {
        outcomes,
        successRate,
        successRateOfOtherKinds: successRateOf(others),
        successRateBelow: FAILING_SUCCESS_RATE,
      },
      action: `Read the errors of ${taskType} on ${kind}; keep it from ${kind} until it is mended.`,
    },
  ];
}

function successRateOf(pairs: readonly PairFigures[]): number | null {
  const completed = pairs.reduce((sum, pair) => sum + pair.completed, 0);
  const failed = pairs.reduce((sum, pair) => sum + pair.failed, 0);
  return completed + failed === 0 ? null : completed / (completed + failed);
}

function agentsIdle({ kind, online, idle }: KindActivity): Recommendation[] {
  if (idle < IDLE_AGENTS_MIN || idle < online * IDLE_SHARE) return [];
  return [
    {
      rule: 'agents_idle',
      severity: 'info',
      subject: { kind },
      sentence: `${idle} of ${counted(online, 'online agent')} ${kind} had no work for ${IDLE_MS / 60_000} min.`,
      evidence: { online, idle, idleMsFrom: IDLE_MS, idleShareFrom: IDLE_SHARE },
      action: `Run fewer agents ${kind}, or give them skills that are asked for.`,
    },
  ];
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
