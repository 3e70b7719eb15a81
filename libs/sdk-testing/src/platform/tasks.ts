import {
  AgentDoor,
  Contacts,
  ONE_PARTITION,
  PartitionHost,
  ServiceEndpoint,
  createTasksHandler,
} from '@athena/service-kit/wire';
import type { ServiceHandler } from '@athena/service-kit/wire';
import { recordOfRow, taskDecider, taskVerbs, tasks, type TaskRow } from '@athena/task-queue/parts';
import type { History } from './history.js';
import { Rows } from './rows.js';
import { OWNER, soleLease, type ServiceSurroundings } from './surroundings.js';

const SERVICE = 'task-queue';
const PARTITION = 0;

/** The task queue: the partition and its doors; finished tasks are read from the log. */
export function startTasks(world: ServiceSurroundings, history: History): ServiceHandler[] {
  const { nats, log, clock, timers, ids, calls, onFault } = world;
  const contacts = new Contacts(nats, timers);
  const rows = new Rows<TaskRow>(tasks, history);
  const onContact = (project: string, agentId: string): void => contacts.add(project, agentId);
  const fetch = async (taskIds: readonly string[]): Promise<ReadonlyMap<string, unknown>> =>
    new Map(taskIds.flatMap((id) => finishedTask(rows.get(id))));
  const host = new PartitionHost({
    nats,
    aggregate: 'task',
    number: PARTITION,
    decider: taskDecider({ partition: PARTITION, onContact }),
    log,
    lease: soleLease,
    owner: OWNER,
    fetch,
    observer: { fault: onFault, failed: (_name, error) => onFault(error) },
    clock,
    timers,
  });
  const handlers = [
    createTasksHandler({ operations: calls, partitions: ONE_PARTITION, clock, ids }),
  ] as ServiceHandler[];
  host.start();
  new ServiceEndpoint({ nats, service: SERVICE, handlers, timers, onError: onFault });
  const verbs = taskVerbs(calls);
  const observer = { onError: onFault };
  new AgentDoor({ nats, queue: SERVICE, verbs, contacts, observer, clock, ids });
  return handlers;
}

/** In the form in which the partition fetches tasks that it no longer holds. */
const finishedTask = (row: TaskRow | undefined): [string, unknown][] =>
  row ? [[row.task_id, { project: row.project, record: recordOfRow(row), lease: row.lease }]] : [];
