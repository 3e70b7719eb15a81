import type { DependencyOutcome } from '@athena/contracts';
import type { Decision } from '@athena/event-log';
import type { NewEvent } from '@athena/operation';
import { decided, taskEvent } from './decisions.js';
import { differs, failureEvent, isCancelledWith } from './dependencies.js';
import type { Task, TaskState } from './state.js';

/** Bounds one decision of the partition's own; more follow at once. */
export const TOLD_PER_DECISION = 500;

/** A dependent as it will be after what it has been told in this decision. */
interface Told {
  readonly task: Task;
  readonly failed: Record<string, string>;
  cause: string | undefined;
  cancelled: boolean;
}

/** Tells the dependents of tasks whose outcome changed, and theirs, a bounded number at a time. */
export const cascade = (state: TaskState): Decision => decided(new Cascade(state).events, null);

class Cascade {
  readonly events: NewEvent[] = [];
  readonly #state: TaskState;
  readonly #told = new Map<string, Told>();
  /** Grows while it is worked off: chains of any length take no stack. */
  readonly #outcomes: [taskId: string, outcome: DependencyOutcome][];

  constructor(state: TaskState) {
    this.#state = state;
    this.#outcomes = [...state.cascades.entries()];
    const untold = this.#outcomes.length;
    for (const [index, [dependency, outcome]] of this.#outcomes.entries()) {
      const dependents = index < untold ? state.untold : state.dependents;
      for (const id of dependents.get(dependency) ?? []) {
        if (this.events.length >= TOLD_PER_DECISION) return;
        this.#tell(this.#toldOf(id), dependency, outcome);
      }
    }
  }

  #toldOf(id: string): Told {
    const known = this.#told.get(id);
    if (known) return known;
    const task = this.#state.tasks.get(id) as Task;
    const { cause, failedDependencies } = task;
    const told = { task, failed: { ...failedDependencies }, cause, cancelled: false };
    this.#told.set(id, told);
    return told;
  }

  #tell(told: Told, dependency: string, outcome: DependencyOutcome): void {
    const { task, failed, cause } = told;
    if (told.cancelled || !differs(failed, dependency, outcome)) return;
    if (failed[dependency] !== undefined) this.#reopen(told, dependency);
    if (outcome.outcome === 'failed') this.#fail(told, dependency, outcome.cause);
    else if (outcome.outcome === 'completed') {
      this.events.push(taskEvent('DependencyCompleted', task.project, task.id, { dependency }));
    }
    if (told.cancelled || told.cause !== cause) this.#outcomes.push([task.id, outcomeOf(told)]);
  }

  #reopen(told: Told, dependency: string): void {
    const { task, failed } = told;
    delete failed[dependency];
    const causes = Object.values(failed);
    if (told.cause === undefined || !causes.includes(told.cause)) told.cause = causes[0];
    const { cause } = told;
    const data = { dependency, ...(cause === undefined ? {} : { cause }) };
    this.events.push(taskEvent('DependencyReopened', task.project, task.id, data));
  }

  #fail(told: Told, dependency: string, cause: string): void {
    const { task, failed } = told;
    this.events.push(failureEvent(task, dependency, cause, told.cause !== undefined));
    told.cancelled = isCancelledWith(task.options);
    failed[dependency] = cause;
    told.cause ??= cause;
  }
}

/** How the dependent stands to those that wait for it. */
function outcomeOf({ task, cause, cancelled }: Told): DependencyOutcome {
  if (cancelled) return { outcome: 'failed', cause: task.id };
  return cause === undefined
    ? { outcome: 'reopened', cause: task.id }
    : { outcome: 'failed', cause };
}
