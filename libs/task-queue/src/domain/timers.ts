import { limits } from '@athena/contracts';
import TinyQueue from 'tinyqueue';
import type { Holder, Task, TaskState } from './state.js';

/** Something that happens to a task by itself. */
export type Timeout =
  /** Its planned time has come, or the backoff is over. */
  | 'ready'
  /** Offered, and with nobody yet (`scheduleToStartMs`). */
  | 'schedule_to_start'
  /** Assigned, but not started. */
  | 'not_started'
  /** Started, but not finished (`startToCloseMs`). */
  | 'start_to_close'
  /** No attempt may begin any more (`retryUntil`). */
  | 'retry_until'
  /** Not finished (`deadline`). */
  | 'deadline';

export interface Due {
  readonly timeout: Timeout;
  readonly at: number;
}

export interface Timer {
  readonly at: number;
  readonly taskId: string;
}

export type Timers = TinyQueue<Timer>;

export const noTimers = (): Timers => new TinyQueue<Timer>([], (left, right) => left.at - right.at);

/** What is due for the task next. Of two at one instant the one that ends more goes first. */
export function nextDue(task: Task): Due | undefined {
  const { status, holder, options } = task;
  const running = status === 'running';
  let next = earlier(undefined, 'deadline', deadlineOf(task));
  if (!holder) next = earlier(next, 'retry_until', instantOf(options?.retryUntil));
  if (running) next = earlier(next, 'start_to_close', holder?.closeBy);
  if (status === 'assigned') next = earlier(next, 'not_started', holder?.startBy);
  if (status !== 'pending') return next;
  next = earlier(next, 'schedule_to_start', task.assignBy);
  return earlier(next, 'ready', task.readyAt);
}

const earlier = (
  next: Due | undefined,
  timeout: Timeout,
  at: number | undefined,
): Due | undefined => (at === undefined || (next && next.at <= at) ? next : { timeout, at });

const instantOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Date.parse(text);

export const deadlineOf = ({ options }: Task): number | undefined => instantOf(options?.deadline);

/** Whether an attempt may begin at the instant, as far as `retryUntil` says. */
export const mayBegin = ({ options }: Task, at: number): boolean =>
  at < (instantOf(options?.retryUntil) ?? Number.POSITIVE_INFINITY);

/**
 * After any change of what a task waits for: whether it is offered, and what is due next. Being
 * offered anew, after a backoff or because a lease ended, begins a new wait for an agent.
 */
export function plan(state: TaskState, task: Task, now: number): void {
  const allowed = task.options?.scheduleToStartMs;
  const offered =
    task.status === 'pending' && task.readyAt === undefined && task.waitsFor.length === 0;
  if (offered && allowed !== undefined) task.assignBy ??= now + allowed;
  else task.assignBy = undefined;
  planTimer(state, task);
}

/** Timers that stand no more stay in the queue until their time, but never outnumber the tasks. */
const STALE_TIMERS_MIN = 1_000;

function planTimer(state: TaskState, task: Task): void {
  const due = nextDue(task);
  if (!due) return;
  state.timers.push({ at: due.at, taskId: task.id });
  if (state.timers.length > 2 * state.tasks.size + STALE_TIMERS_MIN) replan(state);
}

/** All timers from the tasks. */
export function replan(state: TaskState): void {
  state.timers = noTimers();
  for (const task of state.tasks.values()) {
    const due = nextDue(task);
    if (due) state.timers.push({ at: due.at, taskId: task.id });
  }
}

/** The earliest timer that still stands. */
export function firstTimer(state: TaskState): Timer | undefined {
  for (;;) {
    const first = state.timers.peek();
    if (!first) return undefined;
    const task = state.tasks.get(first.taskId);
    if (task && nextDue(task)?.at === first.at) return first;
    state.timers.pop();
  }
}

/**
 * Time in which nobody could report or be given a task does not count against holders and offered
 * tasks. Instants that a task names (`deadline`, `retryUntil`) stay what they are.
 */
export function restartClocks(state: TaskState, at: number): void {
  const grace = at + limits.ASSIGNED_NOT_STARTED_MS;
  for (const task of [...state.tasks.values()]) {
    if (task.holder) restartHolder(state, task, task.holder, grace);
    else if (task.assignBy !== undefined && task.assignBy < grace) {
      const allowed = at + (task.options?.scheduleToStartMs ?? 0);
      state.tasks.edit(task.id);
      task.assignBy = Math.max(task.assignBy, Math.min(grace, allowed));
      planTimer(state, task);
    }
  }
}

function restartHolder(state: TaskState, { id }: Task, holder: Holder, grace: number): void {
  const late = holder.startedAt === undefined ? holder.startBy : holder.closeBy;
  if (late === undefined || late >= grace) return;
  const task = state.tasks.edit(id) as Task;
  if (holder.startedAt === undefined) holder.startBy = grace;
  else holder.closeBy = grace;
  planTimer(state, task);
}
