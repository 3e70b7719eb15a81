import {
  CONTRADICTORY_TIMES,
  DEPENDENCY_REFUSED,
  IDEMPOTENCY_MISMATCH,
  UNKNOWN_DEPENDENCY,
  taskOptions,
  type TaskOptions,
  type BatchItemResult,
  type Idempotency,
  type NewTask,
  type PlannedRun,
  type TaskStatus,
} from '@athena/contracts';
import type { Command, DecideContext, Decision } from '@athena/event-log';
import { fingerprintOf, timeOfId, type NewEvent, type Refusal } from '@athena/operation';
import { decided, refused, taskEvent, unchanged } from './decisions.js';
import { HOPELESS, failureEvent, isCancelledWith, type Dependent } from './dependencies.js';
import { outlineOf } from './others.js';
import { keyElsewhere } from './partitions.js';
import type { FinishedTask, TaskState } from './state.js';

/** How far apart the clocks of proposers and owner may be. */
const CLOCK_SKEW_MS = 2_000;

interface Item {
  readonly id: string;
  readonly task: NewTask;
  readonly idempotency?: Idempotency | undefined;
  /** The run of a schedule that it is. */
  readonly schedule?: PlannedRun;
}

interface Known {
  readonly repeated: string;
  readonly status: TaskStatus;
}

type Made =
  | {
      readonly taskId: string;
      readonly events: readonly NewEvent[];
      readonly status: TaskStatus;
      /** For those that depend on it: the failed task that blocks this one from the start. */
      readonly cause: string | undefined;
    }
  | Known
  | { readonly needs: readonly string[] }
  | { readonly refusal: Refusal };

/** What became of the items decided before in the same chunk; `cause`: of a blocked one. */
interface Sibling {
  readonly refused: boolean;
  readonly cause?: string | undefined;
}
type Siblings = ReadonlyMap<string, Sibling>;

const NO_SIBLINGS: Siblings = new Map();

/** task.create: the command's id is the proposed task id. */
export function createTask(state: TaskState, command: Command, context: DecideContext): Decision {
  const { idempotencyKey, ...task } = command.input as NewTask & { idempotencyKey?: string };
  const idempotency =
    idempotencyKey === undefined
      ? undefined
      : { key: idempotencyKey, fingerprint: fingerprintOf(task) };
  const item = { id: command.id, task, idempotency };
  const elsewhere = belongElsewhere(state, command.project, [item]);
  if (elsewhere) return { refusal: elsewhere };
  const made = makeTask(state, item, command, context);
  if ('refusal' in made || 'needs' in made) return made;
  if ('repeated' in made) {
    const created = made.repeated === command.id;
    return unchanged({ taskId: made.repeated, status: made.status, created, seq: 0 });
  }
  const { taskId, events, status } = made;
  return { events, answer: (seq) => ({ taskId, status, created: true, seq }) };
}

/** task.createChunk: items in order, each refused or accepted for itself, written as one. */
export function createTaskChunk(
  state: TaskState,
  command: Command,
  context: DecideContext,
): Decision {
  const { items } = command.input as {
    items: readonly { taskId: string; task: NewTask; idempotency?: Idempotency }[];
  };
  const elsewhere = belongElsewhere(state, command.project, items);
  if (elsewhere) return { refusal: elsewhere };
  const siblings = new Map<string, Sibling>();
  const repeated = new Map<string, string>();
  const needs = new Set<string>();
  const events: NewEvent[] = [];
  const results: BatchItemResult[] = [];
  for (const { taskId, task, idempotency } of items) {
    const dependencies = task.dependencies.map((id) => repeated.get(id) ?? id);
    const item = { id: taskId, task: { ...task, dependencies }, idempotency };
    const made = makeTask(state, item, command, context, siblings);
    if ('needs' in made) made.needs.forEach((id) => needs.add(id));
    else if ('refusal' in made) results.push({ refusal: made.refusal });
    else if ('repeated' in made) {
      repeated.set(taskId, made.repeated);
      results.push({ taskId: made.repeated });
    } else {
      events.push(...made.events);
      results.push({ taskId });
    }
    const cause = 'cause' in made ? made.cause : undefined;
    siblings.set(taskId, { refused: 'refusal' in made, cause });
  }
  if (needs.size > 0) return { needs: [...needs] };
  return decided(events, { results });
}

function makeTask(
  state: TaskState,
  item: Item,
  command: Command,
  context: DecideContext,
  siblings: Siblings = NO_SIBLINGS,
): Made {
  const { id, task } = item;
  const { project } = command;
  const known = knownByKey(state, project, item) ?? knownById(state, id, context);
  if (known) return known;
  const contradiction = contradictionOf(task, context.now);
  if (contradiction) return contradiction;
  const dependencies = [...new Set(task.dependencies)];
  const found = findDependencies(state, project, dependencies, context, siblings);
  if ('refusal' in found || 'needs' in found) return found;
  const events = [createdEvent(project, item, { dependencies, ...found }, context.now)];
  const options = optionsOf(task);
  const { failures, status } = hopelessFrom({ id, project, options }, found.failed);
  const cause = status === 'cancelled' ? id : found.failed[0]?.cause;
  return { taskId: id, events: [...events, ...failures], status, cause };
}

/** What dependencies that have failed do to a task that begins to wait for them. */
export function hopelessFrom(
  task: Dependent,
  failed: FoundDependencies['failed'],
): { readonly failures: NewEvent[]; readonly status: TaskStatus } {
  const cancelled = isCancelledWith(task.options);
  const failures = failed
    .slice(0, cancelled ? 1 : failed.length)
    .map(({ dependency, cause }, index) => failureEvent(task, dependency, cause, index > 0));
  if (failures.length === 0) return { failures, status: 'pending' };
  return { failures, status: cancelled ? 'cancelled' : 'blocked' };
}

/** An end that has passed, or that a delay does not leave time for. */
function contradictionOf(task: NewTask, now: number): { refusal: Refusal } | null {
  const begin = now + (task.delayMs ?? 0);
  for (const name of ['deadline', 'retryUntil'] as const) {
    const end = task[name];
    if (end === undefined || begin < Date.parse(end)) continue;
    if (now >= Date.parse(end)) return refused(CONTRADICTORY_TIMES, `${name} has passed`, name);
    return refused(CONTRADICTORY_TIMES, `delayMs must end before ${name}`, 'delayMs');
  }
  return null;
}

export function createdEvent(
  project: string,
  { id, task, idempotency, schedule }: Item,
  { dependencies, waitsFor }: { dependencies: string[]; waitsFor: string[] },
  now: number,
): NewEvent {
  const { delayMs } = task;
  const plannedAt = task.runAt ? Date.parse(task.runAt) : delayMs ? now + delayMs : 0;
  return taskEvent('TaskCreated', project, id, {
    content: task.content,
    taskType: task.taskType,
    priority: task.priority,
    requirements: task.requirements,
    dependencies,
    waitsFor,
    maxAttempts: task.maxAttempts,
    autoRoute: task.autoRoute,
    runAt: plannedAt > now ? new Date(plannedAt).toISOString() : undefined,
    startToCloseMs: task.startToCloseMs,
    estimatedDurationMs: task.estimatedDurationMs,
    batchId: task.batchId,
    metadata: task.metadata,
    excludeAgents: task.excludeAgents,
    options: optionsOf(task),
    idempotency,
    schedule,
  });
}

const OPTIONS = Object.keys(taskOptions.shape) as (keyof TaskOptions)[];

/** Those that were given; undefined: none. */
function optionsOf(task: NewTask): TaskOptions | undefined {
  const given = OPTIONS.filter((name) => task[name] !== undefined);
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map((name) => [name, task[name]]));
}

/** Keys of another partition, none of which was used here before they became that one's. */
function belongElsewhere(
  state: TaskState,
  project: string,
  items: readonly { readonly idempotency?: Idempotency | undefined }[],
): Refusal | null {
  const keys = items.flatMap(({ idempotency }) => idempotency?.key ?? []);
  const [first] = keys;
  if (first === undefined || keys.some((key) => state.keys.has(`${project}/${key}`))) return null;
  return keyElsewhere(state, project, first);
}

/** A repeat by the caller's key: what the first made, if the input is the same. */
function knownByKey(state: TaskState, project: string, { idempotency }: Item): Made | null {
  const row = idempotency && state.keys.get(`${project}/${idempotency.key}`);
  if (!row) return null;
  if (row.fingerprint !== idempotency.fingerprint) {
    const detail = `the key ${idempotency.key} was used for task ${row.taskId} with another input`;
    return refused(IDEMPOTENCY_MISMATCH, detail, 'idempotencyKey');
  }
  return { repeated: row.taskId, status: statusOf(state, row.taskId) };
}

/** A repeat of the same command: the proposed id exists. */
export function knownById(
  state: TaskState,
  id: string,
  { fetched }: DecideContext,
): Known | { readonly needs: readonly string[] } | null {
  const status =
    state.tasks.get(id)?.status ??
    state.recent.get(id)?.status ??
    (fetched.get(id) as FinishedTask | null | undefined)?.record.status;
  if (status) return { repeated: id, status };
  if (fetched.has(id) || timeOfId(id) > state.unknownBefore + CLOCK_SKEW_MS) return null;
  return state.unknownBefore === 0 ? null : { needs: [id] };
}

const statusOf = (state: TaskState, id: string): TaskStatus =>
  state.tasks.get(id)?.status ?? state.recent.get(id)?.status ?? 'pending';

export interface FoundDependencies {
  /** Those that have not completed. */
  readonly waitsFor: string[];
  /** Of these, the ones that can't as it stands. */
  readonly failed: { dependency: string; cause: string }[];
}

type Dependencies =
  FoundDependencies | { readonly needs: readonly string[] } | { readonly refusal: Refusal };

export function findDependencies(
  state: TaskState,
  project: string,
  ids: readonly string[],
  { fetched }: DecideContext,
  siblings: Siblings = NO_SIBLINGS,
): Dependencies {
  const waitsFor: string[] = [];
  const failed: { dependency: string; cause: string }[] = [];
  const needs: string[] = [];
  for (const dependency of ids) {
    const sibling = siblings.get(dependency);
    if (sibling?.refused) {
      return refused(DEPENDENCY_REFUSED, `${dependency} was refused`, 'dependencies');
    } else if (sibling) {
      waitsFor.push(dependency);
      if (sibling.cause !== undefined) failed.push({ dependency, cause: sibling.cause });
      continue;
    }
    const task = outlineOf(state, dependency, fetched);
    if (task === undefined) {
      needs.push(dependency);
      continue;
    }
    if (task?.project !== project) {
      return refused(UNKNOWN_DEPENDENCY, `no task ${dependency} in ${project}`, 'dependencies');
    }
    if (task.status === 'completed') continue;
    waitsFor.push(dependency);
    if (HOPELESS.has(task.status)) failed.push({ dependency, cause: task.cause ?? dependency });
  }
  return needs.length > 0 ? { needs } : { waitsFor, failed };
}
