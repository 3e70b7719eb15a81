import { beatAgent, heartbeatAgent, tellCancelled } from '@athena/contracts';
import { Refused } from '@athena/operation';
import type { Caller, OperationCaller, ServiceHandler } from '@athena/service-kit';

/** The answer to a heartbeat waits so long for the router at most: the next one tells as well. */
export const CANCELLED_ASK_MS_MAX = 500;

/** The owner of the registry notes the heartbeat; the router knows which tasks were cancelled. */
export const handleHeartbeatAgent = (
  calls: OperationCaller,
): ServiceHandler<typeof heartbeatAgent> => ({
  operation: heartbeatAgent,
  async handle({ heard = [], ...beat }, caller) {
    const { output, seq } = await calls.call(beatAgent, beat, caller);
    const cancelled = await cancelledOf(calls, beat.agentId, heard, caller);
    return { output: { ...output, cancelled }, seq };
  },
});

/** None while there is no router: a heartbeat is answered all the same. */
async function cancelledOf(
  calls: OperationCaller,
  agentId: string,
  heard: string[],
  { project, actor }: Caller,
): Promise<string[]> {
  const budgetMs = CANCELLED_ASK_MS_MAX;
  try {
    const input = { agentId, heard };
    const { output } = await calls.call(tellCancelled, input, { project, actor, budgetMs });
    return output.cancelled;
  } catch (error) {
    if (error instanceof Refused) return [];
    throw error;
  }
}
