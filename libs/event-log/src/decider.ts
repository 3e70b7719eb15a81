import type { NewEvent, Refusal } from '@athena/operation';
import type { LoggedEvent } from './commit.js';
import type { KnownEvent } from './newer-format.js';
import type { Table } from './table.js';

/** Where a decision stands: its own instant and the place its first event will have. */
export interface DecideContext {
  /** max(owner's clock, last commit's time), milliseconds. */
  readonly now: number;
  /** The partition's commit number that the events will have, and the index of the first. */
  readonly rev: number;
  readonly index: number;
  readonly epoch: number;
  /** When the command reached the partition, milliseconds. */
  readonly arrivedAt: number;
  /** Records fetched after the decider asked for them (see `needs`); null: there is none. */
  readonly fetched: ReadonlyMap<string, unknown>;
}

/** Where a folded event stands in the log. */
export interface EventContext {
  readonly at: number;
  readonly rev: number;
  readonly index: number;
  readonly epoch: number;
}

/** A command as the partition gets it. `input` has passed the operation's schema. */
export interface Command {
  readonly op: string;
  /** Identifies repeats; chosen by whoever first issued the command. */
  readonly id: string;
  readonly project: string;
  readonly actor: string;
  readonly correlation?: string;
  readonly input: unknown;
}

export type Decision =
  /** `answer` is read after the events are folded and in the log. */
  | { readonly events: readonly NewEvent[]; readonly answer: (seq: number) => unknown }
  | { readonly refusal: Refusal }
  /** Records of finished aggregates that must be fetched before this can be decided. */
  | { readonly needs: readonly string[] }
  /** Nothing to say yet: decide again when `park` is woken, at the latest at `until`. */
  | { readonly park: string; readonly until: number };

/**
 * A partition's deterministic state machine. `evolve` is the only way that state changes and is
 * total over every event ever shipped; it edits the state in place. Event data are plain JSON
 * values: the owner folds them as decided, everybody else as parsed, and both must be the same.
 */
export interface Decider<S> {
  /**
   * Version of the state's shape; a stored state of another version is not loaded. A release that
   * folds new kinds or versions of events raises it, so that an older one meets them in the log.
   */
  readonly version: number;
  /** All that it folds. A log that holds others was written by a later release. */
  readonly events: readonly KnownEvent[];
  initial(): S;
  decide(state: S, command: Command, context: DecideContext): Decision;
  evolve(state: S, event: LoggedEvent, context: EventContext): void;
  /** The durable part of the state. */
  tables(state: S): readonly Table<unknown>[];
  /** Recomputes what derives from the tables, after a load. */
  reindex(state: S): void;
  /** The earliest instant at which `due` has something; undefined: nothing is planned. */
  nextDueAt(state: S): number | undefined;
  /** The partition's own commands that are due now, a bounded number. */
  due(state: S, now: number): readonly Command[];
  /** Keys of parked commands that a change since the last call concerns. */
  takeWoken?(state: S): Iterable<string>;
}

/**
 * Events that every partition knows. On both, clocks that judge others (leases, presence) restart
 * in full: time in which no owner was open and connected does not count.
 */
export const PARTITION_OPENED = 'PartitionOpened';
export const CLOCKS_RESTARTED = 'ClocksRestarted';
