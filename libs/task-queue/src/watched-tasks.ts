import type { TaskEvent, TaskStatus } from '@athena/contracts';
import type { Decider, LoggedEvent } from '@athena/event-log';
import type { TaskState } from './domain/state.js';

/** What is told of the tasks of a partition while it is open here. */
export interface TaskObserver {
  entered(status: TaskStatus): void;
  /** An attempt ended; from its start, milliseconds. */
  ran(ms: number): void;
}

export interface PartitionObserver extends TaskObserver {
  /** The number of partitions may have changed; also after the state was loaded. */
  partitions(state: TaskState): void;
}

const ABOUT_PARTITIONS: ReadonlySet<string> = new Set<TaskEvent['type']>([
  'PartitionsGrown',
  'PartitionsAdopted',
  'PartitionsActivated',
]);

const ENTERS: Readonly<Partial<Record<TaskEvent['type'], TaskStatus>>> = {
  TaskCreated: 'pending',
  TaskRedriven: 'pending',
  TaskAssigned: 'assigned',
  TaskStarted: 'running',
  TaskCompleted: 'completed',
  AttemptFailed: 'pending',
  TaskFailed: 'failed',
  TaskExpired: 'failed',
  TaskReleased: 'pending',
  TaskBlocked: 'blocked',
  TaskCancelled: 'cancelled',
};

/** A decider that counts: live tasks by status always, what happens only while it is open. */
export class WatchedTasks {
  readonly decider: Decider<TaskState>;
  /** Whether what is folded happens now, as against being read from the log. */
  open = false;
  #counts = new Map<TaskStatus, number>();

  constructor(inner: Decider<TaskState>, observer: PartitionObserver) {
    this.decider = {
      ...inner,
      initial: () => {
        this.#counts = new Map();
        return inner.initial();
      },
      evolve: (state, event, context) => {
        const before = state.tasks.get(event.id)?.status;
        inner.evolve(state, event, context);
        this.#move(before, state.tasks.get(event.id)?.status);
        if (this.open) tell(observer, event);
        if (ABOUT_PARTITIONS.has(event.type)) observer.partitions(state);
      },
      reindex: (state) => {
        inner.reindex(state);
        this.#counts = new Map();
        for (const { status } of state.tasks.values()) this.#move(undefined, status);
        observer.partitions(state);
      },
    };
  }

  /** Tasks that are not finished, by status. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  #move(from: TaskStatus | undefined, to: TaskStatus | undefined): void {
    if (from === to) return;
    if (from) this.#counts.set(from, (this.#counts.get(from) ?? 0) - 1);
    if (to) this.#counts.set(to, (this.#counts.get(to) ?? 0) + 1);
  }
}

function tell(observer: TaskObserver, logged: LoggedEvent): void {
  const event = logged as TaskEvent;
  const status = ENTERS[event.type];
  if (status) observer.entered(status);
  if (event.type === 'TaskCompleted' || event.type === 'TaskFailed') {
    observer.ran(event.data.durationMs);
  }
}
