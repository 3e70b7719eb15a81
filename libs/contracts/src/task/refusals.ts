import { defineRefusal } from '@athena/operation';

export const TASK_NOT_FOUND = defineRefusal({
  code: 'TASK_NOT_FOUND',
  kind: 'not_found',
  retryable: false,
  summary: 'There is no task with this id in the project.',
  remedy: 'Check the id and the project of the API key.',
});
export const UNKNOWN_DEPENDENCY = defineRefusal({
  code: 'UNKNOWN_DEPENDENCY',
  kind: 'invalid',
  retryable: false,
  summary: 'A dependency names no task of the project, or a ref that the batch does not hold.',
  remedy: 'Create the dependency first, or give it a `ref` in the same batch.',
});
export const DEPENDENCY_CYCLE = defineRefusal({
  code: 'DEPENDENCY_CYCLE',
  kind: 'invalid',
  retryable: false,
  summary: 'The tasks of the batch depend on each other in a circle.',
  remedy: 'Remove one of the dependencies named in the detail.',
});
export const DEPENDENCY_REFUSED = defineRefusal({
  code: 'DEPENDENCY_REFUSED',
  kind: 'conflict',
  retryable: false,
  summary: 'A task of the same batch that this one depends on was refused.',
  remedy: 'Correct the refused task and send both again.',
});
export const IDEMPOTENCY_MISMATCH = defineRefusal({
  code: 'IDEMPOTENCY_MISMATCH',
  kind: 'mismatch',
  retryable: false,
  summary: 'The idempotency key was used before with another input.',
  remedy: 'Use a new key for a new request; repeat a request with exactly the same input.',
});
export const CONTRADICTORY_TIMES = defineRefusal({
  code: 'CONTRADICTORY_TIMES',
  kind: 'invalid',
  retryable: false,
  summary: 'The task’s times leave no moment at which it could run.',
  remedy: 'Give a `deadline` and a `retryUntil` that are to come, and a start before them.',
});
export const ILLEGAL_TRANSITION = defineRefusal({
  code: 'ILLEGAL_TRANSITION',
  kind: 'conflict',
  retryable: false,
  summary: 'The task’s present status does not allow this.',
  remedy: 'Read the task; the detail names its status and the statuses that allow it.',
});
export const STALE_LEASE = defineRefusal({
  code: 'STALE_LEASE',
  kind: 'conflict',
  retryable: false,
  summary: 'The lease is not that of the task’s current attempt: it ended or never was.',
  remedy: 'Drop the work: the task went to someone else, was cancelled, or is finished.',
});
export const TASK_CANCELLED = defineRefusal({
  code: 'TASK_CANCELLED',
  kind: 'conflict',
  retryable: false,
  summary: 'The task was called off while the holder of this lease worked on it.',
  remedy: 'Stop the work: nobody wants its outcome any more.',
});
export const PROGRESS_TOO_OFTEN = defineRefusal({
  code: 'PROGRESS_TOO_OFTEN',
  kind: 'limit',
  retryable: true,
  summary: 'The task’s progress was reported more often than PROGRESS_PER_SECOND_MAX.',
  remedy: 'Gather what there is to tell, and report it a few times a second at most.',
});
export const PROGRESS_TOO_MUCH = defineRefusal({
  code: 'PROGRESS_TOO_MUCH',
  kind: 'limit',
  retryable: false,
  summary: 'The attempt’s partial outputs and lines of log have reached PROGRESS_BYTES_MAX.',
  remedy: 'Report percent and message only; keep large outputs elsewhere and name the place.',
});
export const ALREADY_ASSIGNED = defineRefusal({
  code: 'ALREADY_ASSIGNED',
  kind: 'conflict',
  retryable: false,
  summary: 'The task is held by another agent.',
  remedy: 'Wait until it comes back, or cancel it.',
});
export const NOT_ASSIGNABLE = defineRefusal({
  code: 'NOT_ASSIGNABLE',
  kind: 'conflict',
  retryable: true,
  summary: 'The task can’t be given to this agent now.',
  remedy: 'The detail says why: capabilities, capacity, presence or the task’s state.',
});
export const KEY_ELSEWHERE = defineRefusal({
  code: 'KEY_ELSEWHERE',
  kind: 'conflict',
  retryable: true,
  summary: 'Creates with this idempotency key belong to another partition now.',
  remedy: 'None for callers: it is asked next.',
});
export const PARTITIONS_ONLY_GROW = defineRefusal({
  code: 'PARTITIONS_ONLY_GROW',
  kind: 'conflict',
  retryable: false,
  summary: 'There are more task partitions already: their number can’t become smaller.',
  remedy: 'Leave the number as it is; a partition without work costs next to nothing.',
});
export const GROWTH_UNDER_WAY = defineRefusal({
  code: 'GROWTH_UNDER_WAY',
  kind: 'conflict',
  retryable: true,
  summary: 'Partitions are being added right now.',
  remedy: 'Read the partitions until `growingTo` is null, then ask again.',
});
export const STALE_ROUTER = defineRefusal({
  code: 'STALE_ROUTER',
  kind: 'conflict',
  retryable: false,
  summary: 'A newer router has taken over this partition.',
  remedy: 'None for callers: the router that was refused stands down.',
});
export const TOO_MANY_PAUSES = defineRefusal({
  code: 'TOO_MANY_PAUSES',
  kind: 'limit',
  retryable: false,
  summary: 'The project has as many paused task types as it may have.',
  remedy: 'Pause the whole project, or resume a type; the limit is in the detail.',
});
export const BULK_NOT_FOUND = defineRefusal({
  code: 'BULK_NOT_FOUND',
  kind: 'not_found',
  retryable: false,
  summary: 'The project has no bulk operation with this id, or not any more.',
  remedy: 'Use the `bulkId` that starting it answered; ended ones are kept for a week.',
});
export const TOO_MANY_BULKS = defineRefusal({
  code: 'TOO_MANY_BULKS',
  kind: 'limit',
  retryable: true,
  summary: 'As many bulk operations of the project as may be are under way.',
  remedy: 'Wait until one has ended; the limit is in the detail.',
});
