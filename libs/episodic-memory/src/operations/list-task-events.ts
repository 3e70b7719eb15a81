import { listTaskEvents } from '@athena/contracts';
import type { ServiceHandler } from '@athena/service-kit';
import { taskHistory, type TaskHistoryOptions } from './task-history.js';

/** task.events: everything that happened to a task. */
export const handleListTaskEvents = (
  options: TaskHistoryOptions,
): ServiceHandler<typeof listTaskEvents> => ({
  operation: listTaskEvents,
  async handle(input, { project }) {
    const { events, seq } = await taskHistory(options, { ...input, project });
    return { output: { events }, seq };
  },
});
