import type { Clock, EventLog, Ids, Lease, Timers } from '@athena/event-log';
import type { Bus, OperationCaller } from '@athena/service-kit/wire';

/** What a service in memory is made of. */
export interface ServiceSurroundings {
  readonly nats: Bus;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly ids: Ids;
  readonly calls: OperationCaller;
  /** A fault of the platform itself; never a refusal. */
  readonly onFault: (error: unknown) => void;
}

/** There is one process of every service: it has every lease. */
export const soleLease: Lease = {
  held: true,
  onChange: () => undefined,
  release: async () => undefined,
};

export const OWNER = 'testing-kit';
