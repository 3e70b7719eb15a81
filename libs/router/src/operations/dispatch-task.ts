import { createTask, dispatchTask, getTask, type TaskStatus } from '@athena/contracts';
import type { Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';
import { choose } from '../domain/policy.js';
import type { Task } from '../domain/task.js';
import type { Router } from '../router.js';
import type { Routing } from '../routing.js';
import { onBehalfOf } from './find-task.js';

interface Dispatched {
  readonly status: TaskStatus;
  readonly assignedTo: string | null;
  readonly reason: string;
}

/** Creates the task, then routes it at once: also one that is not routed by itself. */
export const dispatch = (
  router: Router,
  operations: OperationCaller,
): ServiceHandler<typeof dispatchTask> => ({
  operation: dispatchTask,
  async handle({ task: input }, caller) {
    const { routing } = router;
    const { output, seq } = await operations.call(createTask, input, caller);
    await routing.fold.reached(seq);
    const { taskId } = output;
    const task = routing.state.tasks.get(taskId);
    if (task) await route(routing, task);
    const dispatched =
      task && task.status !== 'finished'
        ? present(routing, task)
        : await finished(operations, taskId, caller);
    return { output: { taskId, ...dispatched, seq }, seq };
  },
});

/** Proposes it to whom the policy chooses, and waits for the decision. */
async function route(routing: Routing, task: Task): Promise<void> {
  if (task.waits === 'manual') placeNow(routing, task);
  else await routing.turnOf(task);
  const { proposal } = task;
  if (!proposal) return;
  await routing.outcome(proposal);
  await routing.fold.caughtUp();
}

/** A task that is not routed by itself is routed by this call. */
function placeNow(routing: Routing, task: Task): void {
  if (!routing.mayPropose(task) || routing.spent(task)) return;
  const { members } = task.set;
  const { excluded, avoided } = task;
  const choice = choose({ members, excluded, avoided }, routing.state.registrySeq);
  if (choice) routing.place(task, choice.agent, choice.decision, true);
}

/** Where the task is, as far as the fold has it. */
function present(routing: Routing, task: Task): Dispatched {
  const { hold, status } = task;
  if (hold) {
    const assignedTo = hold.agent.agentId;
    const now = status === 'running' ? status : 'assigned';
    return { status: now, assignedTo, reason: hold.reason };
  }
  if (status === 'blocked') {
    return { status, assignedTo: null, reason: 'a task that it needs failed or was cancelled' };
  }
  const { reason, detail } = routing.why(task);
  return { status: 'pending', assignedTo: null, reason: `${reason}: ${detail}` };
}

async function finished(
  operations: OperationCaller,
  taskId: string,
  caller: Caller,
): Promise<Dispatched> {
  const { output } = await operations.call(getTask, { taskId }, onBehalfOf(caller));
  const { status, assignedTo } = output;
  return { status, assignedTo, reason: `is ${status} already` };
}
