import { AgentDoor, Contacts, ServiceEndpoint, createTasksHandler } from '@athena/service-kit/wire';
import type { ServiceHandler } from '@athena/service-kit/wire';
import {
  TaskPartition,
  recordOfRow,
  taskVerbs,
  tasks,
  type TaskPartitionObserver,
  type TaskRow,
} from '@athena/task-queue/parts';
import type { History } from './history.js';
import { Rows } from './rows.js';
import type { ServiceSurroundings } from './surroundings.js';

const SERVICE = 'task-queue';

/** The task queue: its partitions and doors; finished tasks are read from the log. */
export function startTasks(world: ServiceSurroundings, history: History): ServiceHandler[] {
  const { nats, clock, timers, ids, calls, partitions, onFault } = world;
  const contacts = new Contacts(nats, timers);
  hostPartitions(world, history, contacts);
  const handlers = [
    createTasksHandler({ operations: calls, partitions, clock, ids }),
  ] as ServiceHandler[];
  new ServiceEndpoint({ nats, service: SERVICE, handlers, timers, onError: onFault });
  const verbs = taskVerbs(calls);
  const observer = { onError: onFault };
  new AgentDoor({ nats, queue: SERVICE, verbs, contacts, observer, clock, ids });
  return handlers;
}

/** As many as the first one says. */
function hostPartitions(world: ServiceSurroundings, history: History, contacts: Contacts): void {
  const { log, partitions: map, taskPartitions: partitions } = world;
  const rows = new Rows<TaskRow>(tasks, history);
  const finished = async (taskIds: readonly string[]): Promise<ReadonlyMap<string, unknown>> =>
    new Map(taskIds.flatMap((id) => finishedTask(rows.get(id))));
  const observer = observerOf(world);
  let hosted = 0;
  const host = (wanted: number): void => {
    while (hosted < wanted) {
      const number = hosted++;
      const part = { number, map, partitions, contacts, finished, observer, onHosted: host };
      new TaskPartition({ ...world, ...part, feed: log }).host.start();
    }
  };
  host(1);
}

const observerOf = ({ onFault, onFailure }: ServiceSurroundings): TaskPartitionObserver => ({
  host: () => ({ fault: onFault, failed: (_name, error) => onFailure(error) }),
  tasks: { entered: () => undefined, ran: () => undefined },
  failed: onFailure,
});

/** In the form in which the partition fetches tasks that it no longer holds. */
const finishedTask = (row: TaskRow | undefined): [string, unknown][] =>
  row ? [[row.task_id, { project: row.project, record: recordOfRow(row), lease: row.lease }]] : [];
