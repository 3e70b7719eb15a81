import type { TaskStatus } from '@athena/contracts';
import { violation, type Invariant, type TaskFact, type Violation } from './recorded.js';

interface Life {
  status: TaskStatus;
  readonly dependencies: readonly string[];
  attempt: number;
  holder: { readonly agentId: string; readonly attempt: number } | null;
}

type Type = TaskFact['type'];

const UNFINISHED: TaskStatus[] = ['pending', 'assigned', 'running', 'blocked'];

/** The task's state machine, told once more: from where each event may come, and where it leads. */
const MACHINE: Readonly<
  Record<Exclude<Type, 'TaskCreated'>, readonly [TaskStatus[], TaskStatus?]>
> = {
  DependencyCompleted: [['pending', 'blocked']],
  TaskBlocked: [['pending', 'blocked'], 'blocked'],
  TaskDue: [['pending']],
  TaskAssigned: [['pending'], 'assigned'],
  TaskStarted: [['assigned'], 'running'],
  TaskProgressed: [['running']],
  TaskCompleted: [['running'], 'completed'],
  AttemptFailed: [['assigned', 'running'], 'pending'],
  TaskFailed: [['assigned', 'running'], 'failed'],
  TaskReleased: [['assigned', 'running'], 'pending'],
  TaskExpired: [UNFINISHED, 'failed'],
  TaskCancelled: [UNFINISHED, 'cancelled'],
  TaskRedriven: [['failed', 'cancelled'], 'pending'],
  TaskReprioritised: [UNFINISHED],
  DependencyReopened: [['blocked']],
};

const ENDED: readonly TaskStatus[] = ['completed', 'failed', 'cancelled'];
const ENDINGS: readonly Type[] = ['TaskCompleted', 'TaskFailed', 'TaskExpired', 'TaskCancelled'];
const OF_HOLDER: readonly Type[] = ['TaskStarted', 'TaskCompleted', 'AttemptFailed', 'TaskFailed'];

/** C3–C6 and C8: every task's life, as the log tells it. */
export function checkLives(facts: readonly TaskFact[]): Violation[] {
  const lives = new Map<string, Life>();
  return facts.flatMap((fact) => {
    const found = fact.type === 'TaskCreated' ? born(lives, fact) : lived(lives, fact);
    const where = `task ${fact.id} at ${fact.seq}: ${fact.type}`;
    return found.map(([invariant, detail]) => violation(invariant, `${where}: ${detail}`));
  });
}

type Found = readonly [Invariant, string];

function born(lives: Map<string, Life>, fact: TaskFact & { type: 'TaskCreated' }): Found[] {
  const known = lives.has(fact.id);
  const { dependencies } = fact.data;
  lives.set(fact.id, { status: 'pending', dependencies, attempt: 0, holder: null });
  return known ? [['C9', 'it was created before']] : [];
}

function lived(
  lives: Map<string, Life>,
  fact: Exclude<TaskFact, { type: 'TaskCreated' }>,
): Found[] {
  const life = lives.get(fact.id);
  if (!life) return [['C2', 'it was never created']];
  const found = [...transition(life, fact), ...held(life, fact), ...inOrder(lives, life, fact)];
  move(life, fact);
  return found;
}

function transition(life: Life, { type }: Exclude<TaskFact, { type: 'TaskCreated' }>): Found[] {
  if (MACHINE[type][0].includes(life.status)) return [];
  const twice = ENDED.includes(life.status) && ENDINGS.includes(type);
  return [[twice ? 'C3' : 'C5', `it is ${life.status}`]];
}

/** Whoever starts and ends an attempt is the one who was given it, and nobody else has it. */
function held({ holder, attempt }: Life, fact: TaskFact): Found[] {
  if (fact.type === 'TaskAssigned') {
    const next = fact.data.attempt;
    return [
      ...(holder ? [['C6', `${holder.agentId} has it`] as const] : []),
      ...(next < attempt || next > attempt + 1 ? [['C5', `attempt ${next}`] as const] : []),
    ];
  }
  if (!OF_HOLDER.includes(fact.type)) return [];
  const { agentId, attempt: by } = fact.data as { agentId: string; attempt: number };
  const isHolder = holder?.agentId === agentId && holder.attempt === by;
  const isActor = fact.type !== 'TaskCompleted' || fact.actor === `agent:${agentId}`;
  if (isHolder && isActor) return [];
  return [['C4', `${fact.actor} for ${agentId}, but ${holder?.agentId ?? 'nobody'} has it`]];
}

function inOrder(lives: Map<string, Life>, { dependencies }: Life, { type }: TaskFact): Found[] {
  if (type !== 'TaskAssigned') return [];
  return dependencies
    .filter((id) => lives.get(id)?.status !== 'completed')
    .map((id) => ['C8', `it depends on ${id}, which has not completed`] as const);
}

function move(life: Life, fact: Exclude<TaskFact, { type: 'TaskCreated' }>): void {
  const [, becomes] = MACHINE[fact.type];
  const freed = fact.type === 'DependencyReopened' && fact.data.cause === undefined;
  const next = freed ? 'pending' : becomes;
  if (!next) return;
  life.status = next;
  if (fact.type === 'TaskAssigned') {
    const { agentId, attempt } = fact.data;
    life.holder = { agentId, attempt };
    life.attempt = attempt;
  } else if (next !== 'running') {
    life.holder = null;
  }
}
