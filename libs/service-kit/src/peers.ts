import { systemClock, type Clock } from '@athena/event-log';
import { INCOMPATIBLE_PEER, PROTOCOL, refuse, type Refusal } from '@athena/operation';
import type { Bus } from './bus.js';
import type { PartState } from './readiness.js';

/** Processes that named no version spoke the first. */
const PROTOCOL_FIRST = 1;
/** A peer that was not heard for so long is gone, or was replaced. */
export const PEER_REMEMBERED_MS = 30_000;

/** What was met: who asked us, or who refused to be asked by us. */
export interface IncompatiblePeer {
  readonly where: string;
  readonly ours: number;
  readonly theirs: number;
}

export interface PeersOptions {
  /** What this process speaks; default: PROTOCOL. */
  readonly protocol?: number;
  readonly clock?: Clock;
}

/**
 * Which processes speak another version of the protocol than this one: they are refused, told of
 * once, and shown in the readiness answer until they are gone.
 */
export class Peers {
  readonly protocol: number;
  readonly #clock: Clock;
  readonly #met = new Map<string, IncompatiblePeer & { at: number; answers: boolean }>();
  /** Told once of each. */
  onIncompatible: (peer: IncompatiblePeer) => void = () => undefined;

  constructor({ protocol = PROTOCOL, clock = systemClock }: PeersOptions = {}) {
    this.protocol = protocol;
    this.#clock = clock;
  }

  /** Those that are met over one connection, for all of its users. */
  static of(nats: Bus): Peers {
    const peers = byConnection.get(nats) ?? new Peers();
    byConnection.set(nats, peers);
    return peers;
  }

  /** The refusal of a caller that speaks `theirs` of `where`; null: it speaks as we do. */
  refuseCaller(theirs: number | undefined, where: string): Refusal | null {
    return this.#judge(theirs, where, false);
  }

  /** The same of whoever answered. A process that nobody understands is not ready. */
  refuseAnswer(theirs: number | undefined, where: string): Refusal | null {
    return this.#judge(theirs, where, true);
  }

  get readiness(): PartState {
    const since = this.#clock.now() - PEER_REMEMBERED_MS;
    const met = [...this.#met.values()].filter(({ at }) => at > since);
    if (met.length === 0) return { ready: true, state: `protocol ${this.protocol}` };
    const told = met.map(({ where, theirs }) => `protocol ${theirs} at ${where}`).join(', ');
    const state = `protocol ${this.protocol}; met ${told}: run one release everywhere`;
    return { ready: !met.some(({ answers }) => answers), state };
  }

  #judge(theirs: number = PROTOCOL_FIRST, where: string, answers: boolean): Refusal | null {
    const ours = this.protocol;
    const key = `${answers} ${where}`;
    if (theirs === ours) {
      this.#met.delete(key);
      return null;
    }
    const known = this.#met.get(key);
    this.#met.set(key, { where, ours, theirs, answers, at: this.#clock.now() });
    if (known?.theirs !== theirs) this.onIncompatible({ where, ours, theirs });
    const [asked, asking] = answers ? [theirs, ours] : [ours, theirs];
    return refuse(
      INCOMPATIBLE_PEER,
      `${where}: the service speaks protocol ${asked}, its caller ${asking}`,
    );
  }
}

const byConnection = new WeakMap<Bus, Peers>();
