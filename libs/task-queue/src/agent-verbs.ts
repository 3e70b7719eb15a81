import { completeTask, failTask, progressTask, startTask } from '@athena/contracts';
import type { Operation } from '@athena/operation';
import type { AgentVerb, OperationCaller } from '@athena/service-kit';

/**
 * The verbs by which agents report on their work. Any process of the service hears them and hands
 * them to the owner of the lease's partition.
 */
export const taskVerbs = (calls: OperationCaller): readonly AgentVerb[] =>
  [startTask, progressTask, completeTask, failTask].map((operation: Operation): AgentVerb => ({
    operation,
    handle: (input, { project, actor, id }) => calls.call(operation, input, { project, actor, id }),
  }));
