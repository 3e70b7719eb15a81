import { operations } from '@athena/contracts';
import { ApiEndpoint } from '@athena/service-kit/wire';
import { startArchive } from '../platform/archive.js';
import type { History } from '../platform/history.js';
import { startRegistry, type Connections } from '../platform/registry.js';
import { newRouter } from '../platform/router.js';
import type { ServiceSurroundings } from '../platform/surroundings.js';
import { startTasks } from '../platform/tasks.js';

export interface Outside {
  readonly history: History;
  readonly connections: Connections;
}

type Start = (world: ServiceSurroundings, outside: Outside) => void;

/** What each process of the platform runs, by the service's name. */
export const SERVICES: Readonly<Record<string, Start>> = {
  'task-queue': (world, { history }) => void startTasks(world, history),
  'agent-registry': (world, { history, connections }) =>
    void startRegistry(world, history, connections),
  router: (world) => newRouter(world).start(),
  gateway: (world, { history }) => {
    const { nats, calls: caller, onFault: onError } = world;
    startArchive(world, history);
    new ApiEndpoint({ nats, queue: 'gateway', operations, caller, observer: { onError } });
  },
};
