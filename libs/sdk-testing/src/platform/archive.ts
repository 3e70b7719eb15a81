import { TASK_NOT_FOUND, listTaskEvents } from '@athena/contracts';
import { Refused } from '@athena/operation';
import { ServiceEndpoint, type ServiceHandler } from '@athena/service-kit/wire';
import type { History } from './history.js';
import type { ServiceSurroundings } from './surroundings.js';

const SERVICE = 'episodic-memory';

/** Of the episodic memory what needs no archive: a task's events are read from the log itself. */
export function startArchive(world: ServiceSurroundings, history: History): ServiceHandler[] {
  const { nats, timers, onFault } = world;
  const handlers = [handleTaskEvents(history)] as ServiceHandler[];
  new ServiceEndpoint({ nats, service: SERVICE, handlers, timers, onError: onFault });
  return handlers;
}

const handleTaskEvents = (history: History): ServiceHandler<typeof listTaskEvents> => ({
  operation: listTaskEvents,
  async handle({ taskId }, { project }) {
    const recorded = history.events(taskId).filter((event) => event.project === project);
    if (recorded.length === 0) {
      throw Refused.because(TASK_NOT_FOUND, `no task ${taskId} in project ${project}`, 'taskId');
    }
    const events = recorded.map((event) => ({
      position: `${event.seq}.${event.index}`,
      type: event.type,
      version: event.v,
      at: event.at.toISOString(),
      actor: event.actor ?? null,
      correlation: event.correlation ?? null,
      data: event.data,
    }));
    return { output: { events }, seq: history.commits.length };
  },
});
