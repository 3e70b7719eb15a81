import {
  explainTask,
  getTask,
  listTaskEvents,
  type RoutingDecision,
  type TaskRecord,
} from '@athena/contracts';
import type { Output } from '@athena/operation';
import type { Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';
import type { Router } from '../router.js';
import { findTask, onBehalfOf } from './find-task.js';

type Explanation = Output<typeof explainTask>;

/** Why the task waits, from memory; or why it went where it went, from the log's archive. */
export const tellWhy = (
  router: Router,
  operations: OperationCaller,
): ServiceHandler<typeof explainTask> => ({
  operation: explainTask,
  async handle({ taskId }, caller) {
    const { routing } = router;
    const { state } = routing;
    const task = await findTask(routing, taskId, caller);
    if (task?.status === 'pending') {
      const why = routing.why(task);
      return { output: { state: 'pending', ...why, decision: null }, seq: state.seq };
    }
    const { output, seq } = await operations.call(getTask, { taskId }, onBehalfOf(caller));
    const since = task?.hold?.seq ?? seq;
    const decision = await lastDecision(operations, taskId, since, caller);
    return { output: explain(output, decision), seq };
  },
});

/** Of the task's last assignment. @throws Refused NOT_CAUGHT_UP where the archive lags. */
async function lastDecision(
  operations: OperationCaller,
  taskId: string,
  minSeq: number,
  caller: Caller,
): Promise<RoutingDecision | null> {
  const { output } = await operations.call(listTaskEvents, { taskId, minSeq }, onBehalfOf(caller));
  const assigned = output.events.findLast(({ type }) => type === 'TaskAssigned');
  return (assigned?.data as { decision: RoutingDecision } | undefined)?.decision ?? null;
}

function explain(record: TaskRecord, decision: RoutingDecision | null): Explanation {
  const { status, assignedTo } = record;
  if (status === 'blocked') {
    const detail = `task ${record.reason}, which it needs, failed or was cancelled`;
    return { state: status, reason: 'dependencies', detail, decision: null };
  }
  if (!decision) {
    const detail = `it is ${status} and was never with an agent`;
    return { state: status, reason: record.reason, detail, decision };
  }
  const detail = assignedTo === null ? `it is ${status}` : `it is ${status}, with ${assignedTo}`;
  return { state: status, reason: decision.reason, detail, decision };
}
