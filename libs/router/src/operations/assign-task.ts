import {
  ALREADY_ASSIGNED,
  ILLEGAL_TRANSITION,
  NOT_ASSIGNABLE,
  assignTask,
  getTask,
} from '@athena/contracts';
import { OUTCOME_UNKNOWN, Refused, findRefusal } from '@athena/operation';
import type { Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';
import type { Agent } from '../domain/agent.js';
import { chosenByHand } from '../domain/policy.js';
import type { Task } from '../domain/task.js';
import { pausedDetail } from '../domain/why.js';
import type { Outcome } from '../proposer.js';
import type { Router } from '../router.js';
import type { Routing } from '../routing.js';
import { findTask, onBehalfOf } from './find-task.js';

/** An operator gives a task to an agent; the agent is no more overfilled than by the policy. */
export const assignByHand = (
  router: Router,
  operations: OperationCaller,
): ServiceHandler<typeof assignTask> => ({
  operation: assignTask,
  async handle({ taskId, agentId }, caller) {
    const { routing } = router;
    const task = await settledTask(routing, taskId, caller);
    if (!task) throw await finished(operations, taskId, caller);
    if (task.hold?.agent.agentId === agentId) {
      const status = task.status === 'running' ? 'running' : 'assigned';
      return { output: { taskId, agentId, status }, seq: routing.state.seq };
    }
    checkFree(task);
    const agent = await routing.registered(caller.project, agentId);
    checkWaiting(task, routing);
    checkAgent(agent, task);
    const decision = chosenByHand(agent, caller.actor, routing.state.registrySeq);
    const proposal = routing.place(task, agent, decision, true);
    checkPlaced(await routing.outcome(proposal));
    await routing.fold.caughtUp();
    return { output: { taskId, agentId, status: 'assigned' }, seq: routing.state.seq };
  },
});

/** The unfinished task, when what is proposed for it has been decided. */
async function settledTask(
  routing: Routing,
  taskId: string,
  caller: Caller,
): Promise<Task | undefined> {
  const task = await findTask(routing, taskId, caller);
  if (!task?.proposal) return task;
  await routing.outcome(task.proposal);
  return findTask(routing, taskId, caller);
}

async function finished(
  operations: OperationCaller,
  taskId: string,
  caller: Caller,
): Promise<Refused> {
  const { output } = await operations.call(getTask, { taskId }, onBehalfOf(caller));
  const detail = `task ${taskId} is ${output.status}; only a pending one can be assigned`;
  return Refused.because(ILLEGAL_TRANSITION, detail);
}

function checkFree({ id, hold, status }: Task): void {
  if (hold) {
    const detail = `task ${id} is ${status} with ${hold.agent.agentId}`;
    throw Refused.because(ALREADY_ASSIGNED, detail);
  }
  if (status !== 'pending') {
    const detail = `task ${id} is ${status}; only a pending one can be assigned`;
    throw Refused.because(ILLEGAL_TRANSITION, detail);
  }
}

function checkWaiting(task: Task, routing: Routing): void {
  if (task.waits !== null && task.waits !== 'manual') {
    const { detail } = routing.why(task);
    throw Refused.because(NOT_ASSIGNABLE, `task ${task.id} ${detail}`);
  }
  const pause = routing.state.pauses.of(task.project, task.taskType);
  if (pause) throw Refused.because(NOT_ASSIGNABLE, `task ${task.id}: ${pausedDetail(pause)}`);
  if (task.proposal || !routing.mayPropose(task)) {
    throw Refused.because(NOT_ASSIGNABLE, `task ${task.id} is being routed at this moment; retry`);
  }
  const limited = routing.spent(task);
  if (limited) {
    const { reason, detail } = limited;
    throw Refused.because(NOT_ASSIGNABLE, `task ${task.id} waits (${reason}): ${detail}`);
  }
}

function checkAgent(agent: Agent, task: Task): void {
  const because = (detail: string): Refused =>
    Refused.because(NOT_ASSIGNABLE, `agent ${agent.agentId} ${detail}`);
  const { agentId, capabilities } = agent;
  const lacking = task.set.requirements.filter((capability) => !capabilities.has(capability));
  if (lacking.length > 0) throw because(`lacks ${lacking.join(', ')}`);
  if (task.excluded.includes(agentId)) throw because('is excluded by the task');
  if (!agent.present) throw because('is away');
  if (agent.draining) throw because('is draining: it takes no new work');
  if (agent.room === 0) throw because(`has ${agent.active} of ${agent.max} tasks, the most it may`);
}

/** @throws Refused as the task's partition decided */
function checkPlaced(outcome: Outcome): void {
  if (outcome === null) {
    const detail = 'the task partition did not answer; read the task to see where it is';
    throw Refused.because(OUTCOME_UNKNOWN, detail);
  }
  if (!('refusal' in outcome)) return;
  const { code, detail } = outcome.refusal;
  throw Refused.because(findRefusal(code) ?? NOT_ASSIGNABLE, detail);
}
