import {
  ALREADY_ASSIGNED,
  NOT_ASSIGNABLE,
  STALE_ROUTER,
  TASK_NOT_FOUND,
  limits,
  type Placement,
} from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import type { NewEvent, Refusal } from '@athena/operation';
import { failureOf } from './attempt.js';
import { decided, refused, taskEvent, unchanged } from './decisions.js';
import { claimedTaskOf, reasonOf } from './record.js';
import { agentKey, rowOf, type Task, type TaskState } from './state.js';
import { nextDue } from './timers.js';

/** task.openRouter: the newest router wins; proposals of older ones are refused from now on. */
export function openRouter(state: TaskState, command: Command): Decision {
  const { router } = command.input as { router: string };
  const routerEpoch = rowOf(state).routerEpoch + 1;
  const id = `task.${state.partition}`;
  const event = { type: 'RouterOpened', v: 1, project: '', id, data: { routerEpoch, router } };
  return { events: [event], answer: (seq) => ({ routerEpoch, seq }) };
}

type Placed = { readonly taskId: string } | { readonly refusal: Refusal };

/** task.place: each placement is decided for itself; the answer carries what agents get. */
export function placeTasks(state: TaskState, command: Command, context: DecideContext): Decision {
  const { routerEpoch, placements } = command.input as {
    routerEpoch: number;
    placements: readonly Placement[];
  };
  const newest = rowOf(state).routerEpoch;
  if (routerEpoch < newest) return refused(STALE_ROUTER, `router ${newest} has taken over`);
  const events: NewEvent[] = [];
  const taken = new Set<string>();
  const placed = placements.map((placement): Placed => {
    const decision = place(state, command.project || null, placement, taken, context.now);
    if ('event' in decision) {
      events.push(decision.event);
      taken.add(placement.taskId);
    }
    return 'refusal' in decision ? decision : { taskId: placement.taskId };
  });
  // What agents get is read after the events are folded: it holds the lease.
  const results = (): unknown[] =>
    placed.map((one) => {
      if ('refusal' in one) return one;
      const task = state.tasks.get(one.taskId);
      return task?.holder ? { task: claimedTaskOf(task) } : gone(one.taskId);
    });
  return { events, answer: () => ({ results: results() }) };
}

const gone = (taskId: string): { refusal: Refusal } =>
  refused(NOT_ASSIGNABLE, `task ${taskId} was cancelled at the same moment`);

function place(
  state: TaskState,
  project: string | null,
  { taskId, agentId, kind, session, claimId, assignment, decision, manual }: Placement,
  taken: ReadonlySet<string>,
  now: number,
): { event: NewEvent } | { refusal: Refusal } | { already: true } {
  const task = state.tasks.get(taskId);
  if (!task || (project !== null && task.project !== project)) {
    return refused(TASK_NOT_FOUND, `no waiting task ${taskId}`, 'taskId');
  }
  if (task.holder || taken.has(taskId)) {
    const sameAgent = task.holder?.agentId === agentId && task.holder.session === session;
    if (sameAgent && (assignment ?? task.assignments) === task.assignments)
      return { already: true };
    return refused(
      ALREADY_ASSIGNED,
      `task ${taskId} is held by ${task.holder?.agentId ?? 'another'}`,
    );
  }
  const due = nextDue(task);
  if (due && due.at <= now) return refused(NOT_ASSIGNABLE, `the time of task ${taskId} is over`);
  if (assignment !== undefined && assignment !== task.assignments + 1) {
    return refused(NOT_ASSIGNABLE, `task ${taskId} was assigned ${task.assignments} times by now`);
  }
  const reason = reasonOf(task);
  if (task.status !== 'pending' || (reason !== null && !(manual && reason === 'manual'))) {
    return refused(NOT_ASSIGNABLE, `task ${taskId} is ${task.status} (${reason ?? 'not offered'})`);
  }
  const event = taskEvent('TaskAssigned', task.project, taskId, {
    agentId,
    kind,
    session,
    attempt: task.attempt + 1,
    ...(claimId === undefined ? {} : { claimId }),
    startBy: new Date(now + limits.ASSIGNED_NOT_STARTED_MS).toISOString(),
    decision,
  });
  return { event };
}

/** task.held: what an agent holds and has not started. */
export function heldTasks(state: TaskState, command: Command): Decision {
  const { agentId, claimId, limit } = command.input as {
    agentId: string;
    claimId?: string;
    limit: number;
  };
  const ids = [...(state.held.get(agentKey(command.project, agentId)) ?? [])];
  const tasks = ids
    .map((id) => state.tasks.get(id) as Task)
    .filter((task) => task.status === 'assigned')
    .filter((task) => claimId === undefined || task.holder?.claimId === claimId)
    .slice(0, limit);
  return {
    events: [],
    answer: () => ({ tasks: tasks.filter((t) => t.holder).map(claimedTaskOf) }),
  };
}

/** task.releaseSession: leases that rest on the session, or on an older one, end. */
export function releaseSession(
  state: TaskState,
  command: Command,
  context: DecideContext,
): Decision {
  const { agentId, session, exclude } = command.input as {
    agentId: string;
    session: number;
    exclude: boolean;
  };
  const events: NewEvent[] = [];
  for (const id of state.held.get(agentKey(command.project, agentId)) ?? []) {
    const task = state.tasks.get(id) as Task;
    if (task.holder && task.holder.session <= session) {
      events.push(releaseOf(task, 'session_ended', exclude, context.now));
    }
  }
  return events.length > 0
    ? decided(events, { released: events.length })
    : unchanged({ released: 0 });
}

/** The event that the end of a lease without outcome is; attempts that are lost count. */
export function releaseOf(
  task: Task,
  reason: 'session_ended' | 'not_started',
  exclude: boolean,
  now: number,
): NewEvent {
  const { holder, project, id, attempt } = task;
  if (!holder) throw new Error(`task ${id} has no holder`);
  if (reason === 'session_ended' && attempt >= task.maxAttempts) {
    const error = { message: `agent ${holder.agentId} vanished`, code: 'AGENT_LOST' };
    const failure = failureOf({ task, holder }, error, true, now);
    return { ...failure, data: { ...(failure.data as object), lost: true } };
  }
  const { agentId } = holder;
  return taskEvent('TaskReleased', project, id, { agentId, attempt, reason, exclude });
}
