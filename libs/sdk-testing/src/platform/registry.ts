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
import { OWNER, soleLease, type ServiceSurroundings } from './surroundings.js';

const SERVICE = 'agent-registry';

/** The agent registry: the partition, its watch over who is there, and its doors. */
export function startRegistry(
  world: ServiceSurroundings,
  history: History,
  bus: MemoryBus,
): ServiceHandler[] {
  const { nats, log, clock, timers, ids, calls, onFault } = world;
  const book = new PresenceBook(clock.now());
  const host = new PartitionHost({
    nats,
    aggregate: 'agent',
    number: 0,
    decider: watchedRegistry(book, clock),
    log,
    lease: soleLease,
    owner: OWNER,
    observer: { fault: onFault, failed: (_name, error) => onFault(error) },
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
  new PresenceWatch({ ...watched, failed: onFault }).start();
  new DisconnectWatch({ ...watched, system: disconnectsOf(bus), onError: onFault });
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
  bus: MemoryBus,
): ConstructorParameters<typeof DisconnectWatch>[0]['system'] => ({
  onDisconnect: (listener) =>
    bus.onGone((user) => {
      const [project, agentId, ...others] = user.split('.');
      if (project && agentId && others.length === 0) listener({ project, agentId });
    }),
  isConnected: async ({ project, agentId }) => bus.isConnected(`${project}.${agentId}`),
});
