import { randomUUID } from 'node:crypto';
import { type Connection, type NatsOptions, openConnection } from './nats/connection.js';
import { type Time, systemTime } from './time.js';

/** What the SDK takes from the world around it; the testing kit puts another one in its place. */
export interface Surroundings {
  readonly time: Time;
  /** An id like no other, 36 characters at most. */
  readonly newId: () => string;
  /** At least 0, below 1; for jitter. */
  readonly random: () => number;
  /** Opens what requests travel on. @throws AthenaError UNAUTHENTICATED, CONNECTION_LOST */
  readonly connect: (options: NatsOptions) => Promise<Connection>;
}

/** The machine's clock and a NATS server. */
export const systemSurroundings: Surroundings = {
  time: systemTime,
  newId: () => randomUUID(),
  random: () => Math.random(),
  connect: openConnection,
};
