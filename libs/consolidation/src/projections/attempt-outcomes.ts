import { taskLifeEvents, type TaskEvent } from '@athena/contracts';
import { defineProjection, type Placed, type Projection } from '@athena/projection';

type Of<T extends TaskEvent['type']> = Extract<TaskEvent, { type: T }>;
type Data<T extends TaskEvent['type']> = Of<T>['data'];

/** One finished attempt. Instants and durations are milliseconds. */
export interface AttemptOutcome {
  readonly attempt: number;
  readonly kind: string;
  /** `lost`: the agent vanished and reported nothing. */
  readonly outcome: 'completed' | 'failed' | 'lost';
  /** From ready to assigned. */
  readonly wait_ms: number;
  /** As the outcome tells it; null where nothing was reported. */
  readonly run_ms: number | null;
  readonly at: number;
  readonly seq: number;
  readonly idx: number;
}

/** A task with its finished attempts; gone when it ends without any. */
export interface AttemptOutcomesRow {
  readonly task_id: string;
  readonly project: string;
  readonly task_type: string;
  readonly requirements: readonly string[];
  /** `open`: the router may assign it, from `ready_at` on. `held`: something else comes first. */
  readonly state: 'open' | 'held' | 'assigned' | 'ended';
  readonly waits_for: readonly string[];
  /** The router assigns it, not a person. */
  readonly routed: boolean;
  readonly ready_at: number;
  /** Of the attempt under way. */
  readonly kind: string | null;
  readonly wait_ms: number;
  readonly outcomes: readonly AttemptOutcome[];
  readonly last_at: number | null;
  readonly last_seq: number | null;
}

const nullable = true;
const ABOUT_TASKS: ReadonlySet<string> = new Set(taskLifeEvents.map(({ type }) => type));

/**
 * What came of every attempt. Attempts lie in the row of their task, for only the task knows its
 * type and since when it was ready: a projection's row sees no other row.
 */
export const attemptOutcomes: Projection = defineProjection<AttemptOutcomesRow>({
  name: 'attempt_outcomes',
  version: 1,
  table: 'attempt_outcomes_v1',
  aggregates: ['task'],
  key: ['task_id'],
  columns: [
    { name: 'task_id', type: 'uuid' },
    { name: 'project', type: 'text' },
    { name: 'task_type', type: 'text' },
    { name: 'requirements', type: 'text[]' },
    { name: 'state', type: 'text' },
    { name: 'waits_for', type: 'text[]' },
    { name: 'routed', type: 'bool' },
    { name: 'ready_at', type: 'timestamptz' },
    { name: 'kind', type: 'text', nullable },
    { name: 'wait_ms', type: 'float8' },
    { name: 'outcomes', type: 'jsonb' },
    { name: 'last_at', type: 'timestamptz', nullable },
    { name: 'last_seq', type: 'int8', nullable },
  ],
  keyOf: (event) => (ABOUT_TASKS.has(event.type) ? [event.id] : null),
  startsRow: (event) => event.type === 'TaskCreated',
  apply(row, logged, placed) {
    const event = logged as unknown as TaskEvent;
    if (event.type === 'TaskCreated') return created(event, placed.at);
    if (event.type === 'TaskRedriven') return redriven(row, event, placed.at);
    return row && row.state !== 'ended' ? changed(row, event, placed) : row;
  },
});

function created(
  { id, project, data }: Of<'TaskCreated' | 'TaskRedriven'>,
  at: number,
): AttemptOutcomesRow {
  return pending({
    task_id: id,
    project,
    task_type: data.taskType,
    requirements: data.requirements,
    state: 'open',
    waits_for: data.waitsFor,
    routed: data.autoRoute,
    ready_at: data.runAt === undefined ? at : Math.max(at, Date.parse(data.runAt)),
    kind: null,
    wait_ms: 0,
    outcomes: [],
    last_at: null,
    last_seq: null,
  });
}

/** What came of its attempts before stays. */
function redriven(
  row: AttemptOutcomesRow | null,
  event: Of<'TaskRedriven'>,
  at: number,
): AttemptOutcomesRow {
  const anew = created(event, at);
  if (!row) return anew;
  const { outcomes, last_at, last_seq } = row;
  return { ...anew, outcomes, last_at, last_seq };
}

function changed(
  row: AttemptOutcomesRow,
  event: TaskEvent,
  placed: Placed,
): AttemptOutcomesRow | null {
  switch (event.type) {
    case 'DependencyCompleted':
      return dependencyCompleted(row, event.data, placed.at);
    case 'TaskAssigned':
      return assigned(row, event.data, placed.at);
    case 'TaskCompleted':
      return ended(withOutcome(row, { ...event.data, outcome: 'completed' }, placed));
    case 'AttemptFailed':
      return pending({
        ...withOutcome(row, { ...event.data, outcome: 'failed' }, placed),
        ready_at: Math.max(placed.at, Date.parse(event.data.retryAt)),
      });
    case 'TaskFailed':
      return ended(taskFailed(row, event.data, placed));
    case 'TaskReleased':
      return released(row, event.data, placed);
    case 'TaskCancelled':
    case 'TaskExpired':
      return ended(row);
    default:
      // A blocked task keeps what blocks it in `waits_for`, and so is held.
      return row;
  }
}

/** A task is ready when the last thing it waits for is over. */
const dependencyCompleted = (
  row: AttemptOutcomesRow,
  { dependency }: Data<'DependencyCompleted'>,
  at: number,
): AttemptOutcomesRow =>
  pending({
    ...row,
    waits_for: row.waits_for.filter((id) => id !== dependency),
    ready_at: Math.max(row.ready_at, at),
  });

const assigned = (
  row: AttemptOutcomesRow,
  { kind }: Data<'TaskAssigned'>,
  at: number,
): AttemptOutcomesRow => ({
  ...row,
  state: 'assigned',
  kind,
  wait_ms: Math.max(0, at - row.ready_at),
});

const taskFailed = (
  row: AttemptOutcomesRow,
  data: Data<'TaskFailed'>,
  placed: Placed,
): AttemptOutcomesRow =>
  data.lost
    ? withOutcome(row, { ...data, outcome: 'lost', durationMs: null }, placed)
    : withOutcome(row, { ...data, outcome: 'failed' }, placed);

/** Work that never began was no attempt. */
function released(
  row: AttemptOutcomesRow,
  { attempt, reason }: Data<'TaskReleased'>,
  placed: Placed,
): AttemptOutcomesRow {
  const lost = { attempt, kind: row.kind ?? '', outcome: 'lost', durationMs: null } as const;
  const after = reason === 'not_started' ? row : withOutcome(row, lost, placed);
  return pending({ ...after, ready_at: placed.at });
}

interface Ending {
  readonly attempt: number;
  readonly kind: string;
  readonly outcome: AttemptOutcome['outcome'];
  readonly durationMs: number | null;
}

function withOutcome(
  row: AttemptOutcomesRow,
  { attempt, kind, outcome, durationMs }: Ending,
  { at, seq, index }: Placed,
): AttemptOutcomesRow {
  const { wait_ms } = row;
  const finished = { attempt, kind, outcome, wait_ms, run_ms: durationMs, at, seq, idx: index };
  return { ...row, outcomes: [...row.outcomes, finished], last_at: at, last_seq: seq };
}

const pending = (row: AttemptOutcomesRow): AttemptOutcomesRow => ({
  ...row,
  state: row.routed && row.waits_for.length === 0 ? 'open' : 'held',
  kind: null,
  wait_ms: 0,
});

const ended = (row: AttemptOutcomesRow): AttemptOutcomesRow | null =>
  row.outcomes.length === 0 ? null : { ...row, state: 'ended', waits_for: [], kind: null };
