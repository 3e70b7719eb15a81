import type { Clock, EventLog, Ids, Lease, StateStore, Timers } from '@athena/event-log';
import {
  OperationClient,
  PartitionedCaller,
  TaskPartitions,
  type Bus,
  type OperationCaller,
} from '@athena/service-kit/wire';

/** What a process of services in memory lives in. */
export interface ProcessSurroundings {
  readonly nats: Bus;
  readonly log: EventLog;
  readonly store?: StateStore;
  /** By the role's name: a partition, or the router. */
  readonly lease: (role: string) => Lease;
  /** This process, for the record. */
  readonly owner: string;
  readonly clock: Clock;
  readonly timers: Timers;
  /** For what looks every few milliseconds whether something has to end. */
  readonly looks: Timers;
  readonly ids: Ids;
  /** So many task partitions are wanted. */
  readonly taskPartitions: number;
  /** A fault of the platform itself; never a refusal. */
  readonly onFault: (error: unknown) => void;
  /** What failed because of the surroundings, and is tried again. */
  readonly onFailure: (error: unknown) => void;
}

/** What a service in memory is made of. */
export interface ServiceSurroundings extends ProcessSurroundings {
  readonly calls: OperationCaller;
  readonly partitions: TaskPartitions;
  /** Ends all calls under way. */
  readonly close: () => void;
}

/** As real processes call operations: by the partition that each concerns. */
export function withCalls(process: ProcessSurroundings): ServiceSurroundings {
  const { nats, clock, looks: timers, ids, owner } = process;
  const operations = new OperationClient({ nats, clock, timers, ids });
  const actor = `system:${owner}`;
  const partitions = new TaskPartitions({ operations, clock, timers, actor });
  const calls = new PartitionedCaller({ operations, partitions, clock, ids });
  return { ...process, calls, partitions, close: () => operations.close() };
}
