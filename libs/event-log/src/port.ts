import type { Commit } from './commit.js';

/** The stream's position of a message: 1, 2, 3 …, over all partitions. 0 is before the first. */
export type Seq = number;

/** Another message came first: the expected last sequence of the subject no longer holds. */
export class WrongLastSequence extends Error {
  override readonly name = 'WrongLastSequence';
}

/** No acknowledgement came in time: the message may or may not be in the log, now or later. */
export class AppendUnknown extends Error {
  override readonly name = 'AppendUnknown';
}

/** The log took nothing and says so (full, read-only, too large): safe to discard the batch. */
export class AppendRefused extends Error {
  override readonly name = 'AppendRefused';
}

/** The log can't be reached or was closed; nothing is known about an outcome. */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
}

/**
 * The log does not continue where a reader left it: messages are missing, or positions were given
 * out a second time (a server lost its tail). Nothing may be built on what follows.
 */
export class BrokenSequence extends Error {
  override readonly name = 'BrokenSequence';
}

/** The largest message the log takes, headers included. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;

/** A message of the log as it is stored. */
export interface RawMessage {
  readonly seq: Seq;
  readonly subject: string;
  readonly payload: Uint8Array;
}

export interface Follower {
  /** Stops the delivery; resolves when the last callback has returned (never await it in one). */
  stop(): Promise<void>;
  /** Resolves after `stop`; rejects when the feed broke (gap, hash break, callback's error). */
  readonly done: Promise<void>;
}

export interface FollowOptions {
  /** The first position wanted. */
  readonly from: Seq;
  /** Only these subjects are handed over (the log itself is read unfiltered). */
  readonly subjects?: (subject: string) => boolean;
}

/**
 * The append-only event log: one stream of messages, one literal subject per partition
 * (`athena.evt.<aggregate>.<partition>`). A message is one commit (see commit.ts).
 */
export interface EventLog {
  /**
   * Appends one commit where the subject's last message is still `expectedLastSeq` (0: none).
   * Resolves with its position when it is on disk.
   * @throws WrongLastSequence, AppendUnknown, AppendRefused
   */
  append(subject: string, payload: Uint8Array, expectedLastSeq: Seq): Promise<Seq>;

  /** Position of the subject's last message as the leader knows it; 0 where there is none. */
  lastSeq(subject: string): Promise<Seq>;

  /** Position of the stream's last message, whichever subject; 0 when empty. */
  endSeq(): Promise<Seq>;

  /** The raw message at a position, or null where there is none. */
  get(seq: Seq): Promise<RawMessage | null>;

  /**
   * Reads commits in order from a position up to the stream's end as of the call (inclusive).
   * A batch holds at least one commit.
   * @throws BrokenSequence at a gap or a reused sequence, LogUnavailable
   */
  read(options: FollowOptions): AsyncIterable<readonly Commit[]>;

  /**
   * Delivers commits in order, live, until stopped. The callback's promise is back-pressure:
   * nothing more is pulled than a bounded number of bytes ahead. Batches grow under load.
   * `seen` is the last position read, also where the filter passed nothing (for checkpoints).
   */
  follow(
    options: FollowOptions,
    onCommits: (commits: readonly Commit[], seen: Seq) => void | Promise<void>,
  ): Follower;
}

/** Decides who tries to own; safety never rests on it (see Partition: expected sequence). */
export interface Lease {
  /** Whether this process holds it now. */
  readonly held: boolean;
  /** Called on every change of `held`. */
  onChange(listener: (held: boolean) => void): void;
  /** Gives the lease up, so that a standby takes over at once. */
  release(): Promise<void>;
}

/**
 * Durable rows of a fold's state with the position they stand at, written by whoever folds.
 * `save` is refused (returns false) where a newer checkpoint already stands.
 */
export interface StateStore {
  load(name: string): Promise<StoredState | null>;
  save(name: string, change: StateChange): Promise<boolean>;
}

export interface Checkpoint {
  readonly seq: Seq;
  readonly epoch: number;
  readonly rev: number;
  /** Hash of the message at `seq` of this fold's partition; verified when attaching. */
  readonly hash: string;
  /** Version of the state's shape; another version means: fold from the start. */
  readonly version: number;
}

export interface StateRow {
  readonly table: string;
  readonly key: string;
  /** The row's value as JSON text, taken at the checkpoint's position. */
  readonly json: string;
}

export interface StoredState {
  readonly checkpoint: Checkpoint;
  readonly rows: readonly StateRow[];
}

export interface StateChange {
  readonly checkpoint: Checkpoint;
  /**
   * The upserts are all rows there are: whatever else the store has under this name comes from
   * another version or a history that was lost, and goes in the same transaction. Such a save is
   * refused by a newer epoch only, since the sequences of a lost history mean nothing.
   */
  readonly whole: boolean;
  readonly upserts: readonly StateRow[];
  readonly deletes: readonly { readonly table: string; readonly key: string }[];
}
