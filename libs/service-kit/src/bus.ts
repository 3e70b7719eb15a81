import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';

/**
 * What services use of a NATS connection, and all of it: publish, subscribe (also in a queue
 * group), and word of its loss. The testing kit has one in memory.
 */
export interface Bus extends Pick<
  NatsConnection,
  'publish' | 'status' | 'closed' | 'isClosed' | 'isDraining'
> {
  subscribe(subject: string, options: BusListener): BusSubscription;
}

export interface BusListener {
  readonly queue?: string;
  readonly callback: (error: Error | null, message: Msg) => void;
}

export type BusSubscription = Pick<
  Subscription,
  'drain' | 'isClosed' | 'isDraining' | 'unsubscribe'
>;
