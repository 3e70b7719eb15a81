import type {
  PlannedRun,
  Priority,
  ProgressReport,
  TaskError,
  TaskOptions,
  TaskRecord,
  TaskStatus,
} from '@athena/contracts';
import type { Column } from '@athena/projection';

/** A row of the projection `tasks`. Instants are milliseconds. */
export interface TaskRow {
  readonly task_id: string;
  readonly project: string;
  readonly content: unknown;
  readonly task_type: string;
  readonly status: TaskStatus;
  readonly priority: Priority;
  readonly requirements: readonly string[];
  readonly dependencies: readonly string[];
  readonly assigned_to: string | null;
  readonly created_at: number;
  readonly assigned_at: number | null;
  readonly started_at: number | null;
  readonly completed_at: number | null;
  readonly result: unknown;
  readonly error: TaskError | null;
  readonly success: boolean | null;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly retry_count: number;
  readonly execution_duration_ms: number | null;
  readonly estimated_duration_ms: number | null;
  readonly run_at: number | null;
  readonly batch_id: string | null;
  readonly metadata: Record<string, unknown> | null;
  readonly reason: string | null;
  readonly dead_lettered: boolean;
  readonly progress: ProgressReport | null;
  readonly auto_route: boolean;
  /** Token of the last attempt: `<partition number>.<rev>.<index>` of its assignment. */
  readonly lease: string | null;
  /** The holder's session, while there is one. */
  readonly session: number | null;
  /** Dependencies that have not ended yet. */
  readonly waits_for: readonly string[];
  readonly ready_reason: 'scheduled' | 'backoff' | null;
  /** The failed task at the root of a blocked one. */
  readonly cause: string | null;
  /** Position of the last event that concerned the task. */
  readonly updated_seq: number;
  readonly options: TaskOptions | null;
  readonly schedule: PlannedRun | null;
  readonly redriven_after: number | null;
  readonly start_to_close_ms: number | null;
  readonly exclude_agents: readonly string[];
}

const nullable = true;

/** In the order of the migration. */
export const taskColumns: readonly (Column & { readonly name: keyof TaskRow })[] = [
  { name: 'task_id', type: 'uuid' },
  { name: 'project', type: 'text' },
  { name: 'content', type: 'json', nullable },
  { name: 'task_type', type: 'text' },
  { name: 'status', type: 'text' },
  { name: 'priority', type: 'text' },
  { name: 'requirements', type: 'text[]' },
  { name: 'dependencies', type: 'text[]' },
  { name: 'assigned_to', type: 'text', nullable },
  { name: 'created_at', type: 'timestamptz' },
  { name: 'assigned_at', type: 'timestamptz', nullable },
  { name: 'started_at', type: 'timestamptz', nullable },
  { name: 'completed_at', type: 'timestamptz', nullable },
  { name: 'result', type: 'json', nullable },
  { name: 'error', type: 'json', nullable },
  { name: 'success', type: 'bool', nullable },
  { name: 'attempt', type: 'int4' },
  { name: 'max_attempts', type: 'int4' },
  { name: 'retry_count', type: 'int4' },
  { name: 'execution_duration_ms', type: 'float8', nullable },
  { name: 'estimated_duration_ms', type: 'int8', nullable },
  { name: 'run_at', type: 'timestamptz', nullable },
  { name: 'batch_id', type: 'text', nullable },
  { name: 'metadata', type: 'json', nullable },
  { name: 'reason', type: 'text', nullable },
  { name: 'dead_lettered', type: 'bool' },
  { name: 'progress', type: 'json', nullable },
  { name: 'auto_route', type: 'bool' },
  { name: 'lease', type: 'text', nullable },
  { name: 'session', type: 'int8', nullable },
  { name: 'waits_for', type: 'text[]' },
  { name: 'ready_reason', type: 'text', nullable },
  { name: 'cause', type: 'text', nullable },
  { name: 'updated_seq', type: 'int8' },
  { name: 'options', type: 'json', nullable },
  { name: 'schedule', type: 'json', nullable },
  { name: 'redriven_after', type: 'int4', nullable },
  { name: 'start_to_close_ms', type: 'int8', nullable },
  { name: 'exclude_agents', type: 'text[]' },
];

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

/** The row as every surface shows it: the same record that the partition answers with. */
export const recordOfRow = (row: TaskRow): TaskRecord => ({
  taskId: row.task_id,
  content: row.content,
  taskType: row.task_type,
  status: row.status,
  priority: row.priority,
  requirements: [...row.requirements],
  dependencies: [...row.dependencies],
  assignedTo: row.assigned_to,
  createdAt: new Date(row.created_at).toISOString(),
  assignedAt: iso(row.assigned_at),
  startedAt: iso(row.started_at),
  completedAt: iso(row.completed_at),
  result: row.result,
  error: row.error,
  success: row.success,
  attempt: row.attempt,
  maxAttempts: row.max_attempts,
  retryCount: row.retry_count,
  redrivenAfter: row.redriven_after,
  executionDurationMs: row.execution_duration_ms,
  estimatedDurationMs: row.estimated_duration_ms,
  runAt: iso(row.run_at),
  startToCloseMs: row.start_to_close_ms,
  excludeAgents: [...row.exclude_agents],
  batchId: row.batch_id,
  metadata: row.metadata,
  reason: row.reason,
  deadLettered: row.dead_lettered,
  progress: row.progress,
  autoRoute: row.auto_route,
  options: row.options,
  schedule: row.schedule,
});
