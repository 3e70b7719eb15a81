import {
  DisconnectWatch,
  OwnedRegistry,
  PresenceBook,
  PresenceWatch,
  agentRecords,
  agents,
  figuresOf,
  handleAgentHealth,
  handleGetAgent,
  handleHeartbeatAgent,
  handleReportPerformance,
  lookUpAgent,
  registryVerbs,
  watchedRegistry,
  type AgentReader,
  type AgentRecordRow,
  type AgentRow,
} from '@athena/agent-registry/parts';
import { AgentDoor, PartitionHost, ServiceEndpoint } from '@athena/service-kit/wire';
import type { ServiceHandler } from '@athena/service-kit/wire';
import type { MemoryBus } from '../bus/memory-bus.js';
import type { History } from './history.js';
import { Rows } from './rows.js';
import type { ServiceSurroundings } from './surroundings.js';

const SERVICE = 'agent-registry';

/** Who is connected, and who no longer is. */
export type Connections = Pick<MemoryBus, 'onGone' | 'isConnected'>;

/** The agent registry: the partition, its watch over who is there, and its doors. */
export function startRegistry(
  world: ServiceSurroundings,
  history: History,
  bus: Connections,
): ServiceHandler[] {
  const { nats, log, store, lease, owner, clock, timers, ids, calls } = world;
  const { onFault, onFailure } = world;
  const book = new PresenceBook(clock.now());
  const host = new PartitionHost({
    nats,
    aggregate: 'agent',
    number: 0,
    decider: watchedRegistry(book, clock),
    log,
    ...(store && { store }),
    lease: lease('agent.0'),
    owner,
    observer: { fault: onFault, failed: (_name, error) => onFailure(error) },
    clock,
    timers,
  });
  const registry = new OwnedRegistry(() => host.partition, ids);
  const watched = { nats, registry, book, clock, timers };
  const reader = readerOf(world, history);
  const handlers = [
    handleGetAgent(reader),
    handleAgentHealth(reader),
    handleHeartbeatAgent(calls),
    handleReportPerformance(calls, reader),
  ] as ServiceHandler[];
  host.start();
  new PresenceWatch({ ...watched, failed: onFailure }).start();
  new DisconnectWatch({ ...watched, system: disconnectsOf(bus), onError: onFailure });
  new ServiceEndpoint({ nats, service: SERVICE, handlers, timers, onError: onFault });
  const observer = { onError: onFault };
  new AgentDoor({ nats, queue: SERVICE, verbs: registryVerbs(calls), observer, clock, ids });
  return handlers;
}

/** Whoever is there by the owner's word; figures by the projections' own fold. */
function readerOf({ calls }: ServiceSurroundings, history: History): AgentReader {
  const registered = new Rows<AgentRow>(agents, history);
  const records = new Rows<AgentRecordRow>(agentRecords, history);
  return {
    lookUp: (agentId, { project, actor }) =>
      calls.call(lookUpAgent, { agentId }, { project, actor }),
    figures: async (project, { agentId, kind }) => {
      const {
        completed = 0,
        failed = 0,
        avg_completion_ms = null,
      } = records.get(project, kind) ?? {};
      const active_tasks = registered.get(project, agentId)?.active_tasks ?? 0;
      return figuresOf({ active_tasks, completed, failed, avg_completion_ms });
    },
  };
}

/** What the broker's system account tells: users are named `<project>.<agentId>`. */
const disconnectsOf = (
  bus: Connections,
): ConstructorParameters<typeof DisconnectWatch>[0]['system'] => ({
  onDisconnect: (listener) =>
    bus.onGone((user) => {
      const [project, agentId, ...others] = user.split('.');
      if (project && agentId && others.length === 0) listener({ project, agentId });
    }),
  isConnected: async ({ project, agentId }) => bus.isConnected(`${project}.${agentId}`),
});
