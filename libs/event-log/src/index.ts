export {
  COMMIT_BYTES_MAX,
  FIRST_PREV,
  decodeCommit,
  encodeCommit,
  hashOf,
  partitionOf,
  subjectOf,
} from './commit.js';
export type { Commit, CommitHeader, LoggedEvent } from './commit.js';
export { CLOCKS_RESTARTED, PARTITION_OPENED } from './decider.js';
export type { Command, DecideContext, Decider, Decision, EventContext } from './decider.js';
export { BrokenChain, Fold } from './fold.js';
export { NewerFormat } from './newer-format.js';
export type { KnownEvent } from './newer-format.js';
export type { Position } from './fold.js';
export { MemoryLog } from './memory-log.js';
export type { AppendFault } from './memory-log.js';
export { MemoryStateStore } from './memory-state-store.js';
export { followSource, readSource } from './message-source.js';
export type { MessageSource } from './message-source.js';
export { CLOSE_MS_MAX, OPEN_MS_MAX, Partition, STALL_MS } from './partition.js';
export type { Answer, PartitionObserver } from './partition.js';
export {
  AppendRefused,
  AppendUnknown,
  BrokenSequence,
  LogUnavailable,
  MESSAGE_BYTES_MAX,
  WrongLastSequence,
} from './port.js';
export type {
  EventLog,
  FollowOptions,
  Follower,
  Lease,
  RawMessage,
  Seq,
  StateChange,
  StateRow,
  StateStore,
  StoredState,
} from './port.js';
export { sleep, systemClock, systemIds, systemTimers } from './ports.js';
export type { Clock, Ids, Timers } from './ports.js';
export { SharedFeed } from './shared-feed.js';
export { SimulatedTime } from './simulated-time.js';
export { Table } from './table.js';
