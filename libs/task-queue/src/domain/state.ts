import type {
  PlannedRun,
  DependencyOutcome,
  Priority,
  ProgressReport,
  TaskError,
  TaskOptions,
  TaskRecord,
  TaskStatus,
} from '@athena/contracts';
import { Table } from '@athena/event-log';
import TinyQueue from 'tinyqueue';
import { Cancellations } from './cancellations.js';
import type { ProgressUse } from './progress.js';
import { RecentTasks } from './recent-tasks.js';
import type { DueRun, Schedule } from './schedule-state.js';
import { noTimers, type Timers } from './timers.js';

/** Who works on the task's current attempt. Instants in state are milliseconds. */
export interface Holder {
  agentId: string;
  kind: string;
  session: number;
  claimId?: string;
  /** Place of the assignment in the log: `<partition>.<rev>.<index>`. */
  lease: string;
  assignedAt: number;
  startedAt?: number;
  /** Assigned, but not started by then: the lease ends. */
  startBy: number;
  /** Started, but not finished by then: the attempt failed. */
  closeBy?: number;
}

/**
 * A task as the partition knows it; plain JSON, so that a checkpoint is its text. Every field is
 * always there: objects of one shape are fast to make and to read.
 */
export interface Task {
  id: string;
  project: string;
  content: unknown;
  taskType: string;
  priority: Priority;
  requirements: readonly string[];
  dependencies: readonly string[];
  /** Dependencies that have not completed yet, and those that ended otherwise: id → cause. */
  waitsFor: string[];
  failedDependencies: Record<string, string>;
  /** The failed task at the root of a blocked one. */
  cause: string | undefined;
  status: TaskStatus;
  createdAt: number;
  maxAttempts: number;
  autoRoute: boolean;
  /** Not to be offered before: planned time, or the end of the backoff. */
  readyAt: number | undefined;
  readyReason: 'scheduled' | 'backoff' | undefined;
  /** While it is offered: not with an agent by then, it fails. */
  assignBy: number | undefined;
  runAt: number | undefined;
  startToCloseMs: number | undefined;
  estimatedDurationMs: number | undefined;
  batchId: string | undefined;
  metadata: Record<string, unknown> | undefined;
  excludeAgents: readonly string[] | undefined;
  options: TaskOptions | undefined;
  /** The run of a schedule that it is. */
  schedule: PlannedRun | undefined;
  attempt: number;
  /** How often it was assigned; a lease that ended unused counts, too. */
  assignments: number;
  retryCount: number;
  /** Number of the last attempt before the task was redriven. */
  redrivenAfter: number | undefined;
  holder: Holder | undefined;
  /** The lease that ended last, to recognise a repeated report of its end. */
  endedLease: string | undefined;
  error: TaskError | undefined;
  progress: ProgressReport | undefined;
  /** What this attempt has recorded of it. */
  progressUse: ProgressUse | undefined;
  completedAt: number | undefined;
  result: unknown;
  durationMs: number | undefined;
  deadLettered: boolean | undefined;
  /** Of a failed task that might have been tried again: why it is not. */
  failReason: string | undefined;
}

/** A finished task as it is found outside the live state: the record and its last lease. */
export interface FinishedTask {
  readonly project: string;
  readonly record: TaskRecord;
  readonly lease: string | null;
}

export interface KeyRow {
  taskId: string;
  fingerprint: string;
  at: number;
  /** Grows with every key: the order in which the window forgets. */
  order: number;
}

/** Since when, and whose doing. */
export interface PauseRow {
  readonly by: string;
  readonly since: number;
}

/** What of a project is paused; kept by the first partition. */
export interface ProjectPauses {
  readonly project: PauseRow | null;
  readonly taskTypes: readonly (PauseRow & { readonly taskType: string })[];
}

export interface PartitionRow {
  routerEpoch: number;
  /** Partitions among which idempotency keys are spread, as far as this one has been told. */
  partitions: number;
  /** Position up to which the other partitions are followed; absent: there were none. */
  followed?: number;
  /** The first partition's record of the growth; times in milliseconds. */
  map?: {
    readonly partitions: number;
    readonly growingTo: number | null;
    readonly earlier: readonly { readonly partitions: number; readonly until: number }[];
  };
}

/**
 * State of a task partition. The tables are durable; the rest derives from them (`reindex`), but
 * for caches of what just happened: what `recent` lacks is fetched from the read model.
 */
export interface TaskState {
  readonly partition: number;
  readonly tasks: Table<Task>;
  readonly keys: Table<KeyRow>;
  /** Tasks whose dependents have not all been told yet how they stand. */
  readonly cascades: Table<DependencyOutcome>;
  readonly rows: Table<PartitionRow>;
  readonly schedules: Table<Schedule>;
  /** By project. */
  readonly pauses: Table<ProjectPauses>;
  /** Task → live tasks that wait for it, or are blocked by it. */
  dependents: Map<string, Set<string>>;
  /** Key of `cascades` → dependents that know something else. */
  untold: Map<string, Set<string>>;
  /** `project/agent` → tasks that it holds. */
  held: Map<string, Set<string>>;
  timers: Timers;
  plannedRuns: TinyQueue<DueRun>;
  /** Project → its schedules. */
  schedulesOf: Map<string, Set<string>>;
  /** Keys of `keys`, oldest first, from `keysHead` on. */
  keyOrder: string[];
  keysHead: number;
  readonly recent: RecentTasks;
  /** By `project/agent`; a cache as well. */
  readonly cancellations: Cancellations;
  /** Ids made before this may name finished tasks that are not in `recent`. */
  unknownBefore: number;
  /** Loaded from a checkpoint, and no event was folded since. */
  justLoaded: boolean;
  finishedSinceTaken: string[];
}

const PARTITION_ROW = 'partition';

export const initialState = (partition: number): TaskState => ({
  partition,
  tasks: new Table<Task>('task'),
  keys: new Table<KeyRow>('key'),
  cascades: new Table<DependencyOutcome>('cascade'),
  rows: new Table<PartitionRow>('partition'),
  schedules: new Table<Schedule>('schedule'),
  pauses: new Table<ProjectPauses>('pause'),
  dependents: new Map(),
  untold: new Map(),
  held: new Map(),
  timers: noTimers(),
  plannedRuns: earliestFirst(),
  schedulesOf: new Map(),
  keyOrder: [],
  keysHead: 0,
  recent: new RecentTasks(),
  cancellations: new Cancellations(),
  unknownBefore: 0,
  justLoaded: false,
  finishedSinceTaken: [],
});

export const tablesOf = (state: TaskState): Table<unknown>[] =>
  [
    state.tasks,
    state.keys,
    state.cascades,
    state.rows,
    state.schedules,
    state.pauses,
  ] as Table<unknown>[];

const NEW_ROW: Readonly<PartitionRow> = { routerEpoch: 0, partitions: 1 };

/** The partition's own row. Rows of before there were several partitions lack their number. */
export const rowOf = (state: TaskState): Readonly<PartitionRow> => ({
  ...NEW_ROW,
  ...state.rows.get(PARTITION_ROW),
});

/** The row, to be changed; only `evolve` may. */
export function editRow(state: TaskState): PartitionRow {
  const row = { ...rowOf(state) };
  state.rows.set(PARTITION_ROW, row);
  return row;
}

export const agentKey = (project: string, agentId: string): string => `${project}/${agentId}`;

export function addTo(index: Map<string, Set<string>>, key: string, member: string): void {
  const members = index.get(key);
  if (members) members.add(member);
  else index.set(key, new Set([member]));
}

export function removeFrom(index: Map<string, Set<string>>, key: string, member: string): void {
  const members = index.get(key);
  if (members?.delete(member) && members.size === 0) index.delete(key);
}

export function earliestFirst<T extends { readonly at: number }>(): TinyQueue<T> {
  return new TinyQueue<T>([], (left, right) => left.at - right.at);
}
