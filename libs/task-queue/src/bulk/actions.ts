import {
  cancelTask,
  redriveTask,
  reprioritiseTask,
  type BulkAction,
  type Priority,
} from '@athena/contracts';
import type { Operation } from '@athena/operation';

/** What is asked for besides the tasks. */
export interface Wanted {
  readonly action: BulkAction;
  readonly priority?: Priority | undefined;
}

interface Action {
  /** The tasks for which it is possible, as a condition on `tasks`; `$` takes a value. */
  readonly possible: (wanted: Wanted, $: (value: unknown) => string) => string;
  /** Done to each task; a repeat changes nothing. */
  readonly operation: Operation;
  readonly inputOf: (taskId: string, wanted: Wanted) => unknown;
}

const LIVE = `status not in ('completed', 'failed', 'cancelled')`;

export const actions: Readonly<Record<BulkAction, Action>> = {
  cancel: {
    possible: () => LIVE,
    operation: cancelTask,
    inputOf: (taskId) => ({ taskId }),
  },
  redrive: {
    possible: () => `status in ('failed', 'cancelled')`,
    operation: redriveTask,
    inputOf: (taskId) => ({ taskId }),
  },
  reprioritise: {
    possible: ({ priority }, $) => `${LIVE} and priority <> ${$(priority)}`,
    operation: reprioritiseTask,
    inputOf: (taskId, { priority }) => ({ taskId, priority }),
  },
};
