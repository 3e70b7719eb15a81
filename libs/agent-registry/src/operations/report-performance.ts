import {
  TASK_NOT_FOUND,
  countPerformance,
  getTask,
  reportPerformance,
  uuid,
} from '@athena/contracts';
import { Refused } from '@athena/operation';
import type { Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';
import type { AgentReader } from './registry-reader.js';

/** Outcomes of Athena's tasks count by themselves; a report that names one adds nothing. */
export const handleReportPerformance = (
  calls: OperationCaller,
  reader: Pick<AgentReader, 'lookUp'>,
): ServiceHandler<typeof reportPerformance> => ({
  operation: reportPerformance,
  async handle({ agentId, success, durationMs, taskId, idempotencyKey }, caller) {
    if (taskId !== undefined && (await isTask(calls, taskId, caller))) {
      const { seq } = await reader.lookUp(agentId, caller);
      return { output: { agentId, counted: false }, seq };
    }
    const { project, actor } = caller;
    const id = idempotencyKey === undefined ? caller.id : `key:${idempotencyKey}`;
    const report = { agentId, success, durationMs };
    const { output, seq } = await calls.call(
      countPerformance,
      taskId === undefined ? report : { ...report, reportId: taskId },
      { project, actor, id, ...correlationOf(caller) },
    );
    return { output: { agentId, counted: output.counted }, seq };
  },
});

async function isTask(calls: OperationCaller, id: string, caller: Caller): Promise<boolean> {
  const taskId = id.toLowerCase();
  if (!uuid.safeParse(taskId).success) return false;
  const { project, actor } = caller;
  try {
    await calls.call(getTask, { taskId }, { project, actor });
    return true;
  } catch (error) {
    if (error instanceof Refused && error.refusal.code === TASK_NOT_FOUND.code) return false;
    throw error;
  }
}

const correlationOf = ({ correlation }: Caller): { correlation?: string } =>
  correlation === undefined ? {} : { correlation };
