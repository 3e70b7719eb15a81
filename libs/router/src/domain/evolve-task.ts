import { isOfPartition, limits, type TaskEvent, type TaskPartitionEvent } from '@athena/contracts';
import { evolvePauses } from './pauses.js';
import type { AnyEvent, RouterState, Standing } from './router-state.js';
import { NOBODY, RANKS, Task } from './task.js';

type EventNamed<T extends TaskEvent['type']> = Extract<TaskEvent, { type: T }>;

/** Folds one event of a task partition. */
export function evolveTask(
  state: RouterState,
  event: TaskEvent & AnyEvent,
  standing: Standing,
): void {
  countOutcome(state, event);
  if (event.type === 'TaskCreated' || event.type === 'TaskRedriven') {
    return create(state, event, standing);
  }
  if (isOfPartition(event)) return partitionChanged(state, event, standing);
  const task = state.tasks.get(event.id);
  if (!task) return;
  const { tasks } = state;
  switch (event.type) {
    case 'DependencyCompleted':
      task.waitsFor?.delete(event.data.dependency);
      if (task.waitsFor?.size !== 0) return tasks.review(task);
      task.waitsFor = null;
      if (task.status === 'blocked') task.status = 'pending';
      task.offeredAt = standing.at;
      return tasks.review(task);
    case 'DependencyReopened':
      (task.waitsFor ??= new Set()).add(event.data.dependency);
      if (event.data.cause === undefined) task.status = 'pending';
      return tasks.review(task);
    case 'TaskBlocked':
      task.status = 'blocked';
      return tasks.review(task);
    case 'TaskDue':
      task.gate = null;
      task.offeredAt = standing.at;
      return tasks.review(task);
    case 'TaskAssigned':
      return assign(state, task, event, standing);
    case 'TaskStarted':
      if (task.hold) task.status = 'running';
      return tasks.review(task);
    case 'AttemptFailed': {
      const until = Date.parse(event.data.retryAt);
      task.gate = { why: 'backoff', until };
      return tasks.giveBack(task, until);
    }
    case 'TaskReleased':
      return tasks.giveBack(task, standing.at, toAvoid(state, task, event));
    case 'TaskCancelled':
    case 'TaskExpired':
      noteCancelled(state, task, standing.at);
      return tasks.finish(task);
    case 'TaskCompleted':
    case 'TaskFailed':
      return tasks.finish(task);
    case 'TaskReprioritised':
      return tasks.reprioritise(task, RANKS[event.data.priority]);
    case 'TaskProgressed':
      return;
    default:
      // Events of kinds that a later version adds.
      event satisfies never;
  }
}

/** `id` is the partition's name, `task.<number>`. */
function partitionChanged(
  state: RouterState,
  event: TaskPartitionEvent & AnyEvent,
  standing: Standing,
): void {
  if (event.type === 'QueuePaused' || event.type === 'QueueResumed') {
    return evolvePauses(state, event, standing);
  }
  if (event.type === 'PartitionsGrown') return state.grow(event.data.partitions);
  if (event.type !== 'RouterOpened') return;
  const partition = Number.parseInt(event.id.slice(event.id.indexOf('.') + 1), 10);
  state.tell({ kind: 'router-opened', partition, ...event.data });
}

/** Of a redriven task nothing is left from before: it queues behind those that wait. */
function create(
  state: RouterState,
  event: EventNamed<'TaskCreated' | 'TaskRedriven'>,
  standing: Standing,
): void {
  const { data, id, project } = event;
  const excluded = data.excludeAgents?.length ? [...data.excludeAgents].sort() : NOBODY;
  const task = new Task({
    id,
    born: ++state.born,
    rank: RANKS[data.priority],
    taskType: data.taskType,
    bytes: standing.bytes,
    autoRoute: data.autoRoute,
    set: state.fleet.setFor(project, data.requirements),
    excluded,
    terms: state.quotas.agree(project, data.options, standing.at),
  });
  if (data.waitsFor.length > 0) task.waitsFor = new Set(data.waitsFor);
  if (data.runAt !== undefined) task.gate = { why: 'scheduled', until: Date.parse(data.runAt) };
  if (event.type === 'TaskRedriven') task.assignments = event.data.attempt;
  task.offeredAt = standing.at;
  state.tasks.add(task);
}

function assign(
  state: RouterState,
  task: Task,
  { data, project }: EventNamed<'TaskAssigned'>,
  { seq, index, at }: Standing,
): void {
  const { session, claimId } = data;
  const agent = state.fleet.ensure(project, data.agentId);
  if (task.terms) state.quotas.take(task.terms, at);
  state.tasks.assign(task, { agent, session, claimId, seq, reason: data.decision.reason });
  const waitedMs = Math.max(0, at - task.offeredAt);
  state.tell({ kind: 'assigned', agent, claimId, waitedMs });
  if (session > agent.ended.session) return;
  // The session ended while the proposal was under way: nobody is there to take the task.
  const exclude = session === agent.ended.session && agent.ended.exclude;
  state.tell({ kind: 'session-ended', agent, session, exclude, source: `${seq}.${index}` });
}

/** An agent that has registered anew since it was given the task is not kept away from it. */
function toAvoid(
  state: RouterState,
  { hold, project }: Task,
  { data }: EventNamed<'TaskReleased'>,
): string | undefined {
  if (!data.exclude) return undefined;
  const agent = state.fleet.get(project, data.agentId);
  return agent && hold && agent.registration > hold.session ? undefined : data.agentId;
}

/** Of those that are not kept the agent learns when it shows their lease. */
function noteCancelled(state: RouterState, { hold, id }: Task, at: number): void {
  if (!hold) return;
  const { CANCELLED_KEPT_MAX, CANCELLED_TOLD_MS } = limits;
  hold.agent.cancelled = [...hold.agent.cancelled, { taskId: id, at }]
    .filter((one) => at - one.at < CANCELLED_TOLD_MS)
    .slice(-CANCELLED_KEPT_MAX);
  state.fleet.touch(hold.agent);
  state.tell({ kind: 'cancelled', agent: hold.agent });
}

function countOutcome({ fleet }: RouterState, event: TaskEvent): void {
  const { type, project, data } = event;
  if (type === 'TaskCompleted') fleet.countSuccess(project, data.kind, data.durationMs);
  // A lost attempt reported no outcome.
  const failed = type === 'AttemptFailed' || (type === 'TaskFailed' && !data.lost);
  if (failed) fleet.countFailure(project, data.kind);
}
