import { defineEvent, type EventOf } from '@athena/operation';
import { z } from 'zod';
import { clientId, count, instant, label, metadata, uuid } from '../schemas.js';
import { scheduleEvents } from '../schedule/events.js';
import { taskOptions } from './options.js';
import { plannedRun, priority, taskError } from './record.js';

/*
 * Event names and shapes are the storage format: a version is never edited. A change is the next
 * version; what it adds is optional, so that one schema reads every version.
 */
const aggregate = 'task';

export const routerOpened = defineEvent({
  type: 'RouterOpened',
  version: 1,
  aggregate,
  summary: 'A router took over this partition; proposals of earlier ones are refused.',
  data: z.object({ routerEpoch: count, router: z.string() }),
});

/** Repeats with the same key return what the first made; another fingerprint is refused. */
export const idempotency = z.object({ key: z.string(), fingerprint: z.string() });
export type Idempotency = z.output<typeof idempotency>;

export const taskCreated = defineEvent({
  type: 'TaskCreated',
  /** 2: `options`. A reader of 1 does not know how they bind. */
  version: 2,
  aggregate,
  summary: 'A task was accepted.',
  data: z.object({
    content: z.unknown(),
    taskType: label,
    priority,
    requirements: z.array(label),
    dependencies: z.array(uuid),
    /** Those of the dependencies that had not completed when the task was created. */
    waitsFor: z.array(uuid),
    maxAttempts: count,
    autoRoute: z.boolean(),
    runAt: instant.optional(),
    startToCloseMs: count.optional(),
    estimatedDurationMs: count.optional(),
    batchId: clientId.optional(),
    metadata: metadata.optional(),
    excludeAgents: z.array(clientId).optional(),
    /** Those that were given. */
    options: taskOptions.optional(),
    idempotency: idempotency.optional(),
    /** The run of a schedule that it is. */
    schedule: plannedRun.optional(),
  }),
});

export const taskRedriven = defineEvent({
  type: 'TaskRedriven',
  version: 1,
  aggregate,
  summary: 'A failed or cancelled task goes back to pending, as if it were created anew.',
  /** Everything that a fold needs which has forgotten the task. `maxAttempts` counts on. */
  data: taskCreated.data.omit({ idempotency: true }).extend({
    createdAt: instant,
    /** Number of the last attempt before. */
    attempt: count,
  }),
});

export const dependencyCompleted = defineEvent({
  type: 'DependencyCompleted',
  version: 1,
  aggregate,
  summary: 'One of the tasks that this one waits for completed.',
  data: z.object({ dependency: uuid }),
});

export const taskBlocked = defineEvent({
  type: 'TaskBlocked',
  /** 2: `already`. */
  version: 2,
  aggregate,
  summary: 'A dependency, direct or through others, failed or was cancelled.',
  data: z.object({
    dependency: uuid,
    cause: uuid,
    /** It was blocked before, and the earlier cause stays. */
    already: z.literal(true).optional(),
  }),
});

export const dependencyReopened = defineEvent({
  type: 'DependencyReopened',
  version: 1,
  aggregate,
  summary:
    'A dependency that failed, or was blocked, may complete after all: it is waited for again.',
  data: z.object({
    dependency: uuid,
    /** The failed task that still blocks this one; absent: it is blocked no more. */
    cause: uuid.optional(),
  }),
});

export const taskDue = defineEvent({
  type: 'TaskDue',
  version: 1,
  aggregate,
  summary: 'The planned time or the backoff is over.',
  data: z.object({}),
});

/** A routing decision with what it rested on (product R3). Scores are in [0, 1]. */
export const routingDecision = z.object({
  policy: z.string(),
  reason: z.string(),
  candidates: z.array(
    z.object({
      agentId: clientId,
      score: z.number(),
      successRate: z.number(),
      utilisation: z.number(),
    }),
  ),
  /** How many candidates there were; `candidates` holds the best. */
  considered: count,
  /** Log position of the agent registry that the router had folded. */
  registrySeq: count,
  probability: z.number(),
});
export type RoutingDecision = z.output<typeof routingDecision>;

export const taskAssigned = defineEvent({
  type: 'TaskAssigned',
  version: 1,
  aggregate,
  summary: 'The task was given to an agent’s session; the event’s place in the log is the lease.',
  data: z.object({
    agentId: clientId,
    kind: clientId,
    session: count,
    attempt: count,
    claimId: z.string().optional(),
    startBy: instant,
    decision: routingDecision,
  }),
});

export const taskStarted = defineEvent({
  type: 'TaskStarted',
  version: 1,
  aggregate,
  summary: 'The agent began to work.',
  data: z.object({ agentId: clientId, attempt: count }),
});

export const taskProgressed = defineEvent({
  type: 'TaskProgressed',
  /** 2: `output`, `log`; what it leaves out stays as it was. */
  version: 2,
  aggregate,
  summary: 'The agent told how far it is.',
  data: z.object({
    attempt: count,
    percent: z.number().optional(),
    message: z.string().optional(),
    output: z.unknown().optional(),
    log: z.array(z.string()).optional(),
  }),
});

const outcome = {
  agentId: clientId,
  kind: clientId,
  attempt: count,
  /** As the agent reported it, else from start (or assignment) to now. Milliseconds. */
  durationMs: z.number(),
};

export const taskCompleted = defineEvent({
  type: 'TaskCompleted',
  version: 1,
  aggregate,
  summary: 'The attempt succeeded: the task is finished.',
  data: z.object({
    ...outcome,
    result: z.unknown(),
    metrics: z.record(z.string(), z.unknown()).optional(),
  }),
});

export const attemptFailed = defineEvent({
  type: 'AttemptFailed',
  version: 1,
  aggregate,
  summary: 'The attempt failed; the task goes back to pending and may run again at `retryAt`.',
  data: z.object({ ...outcome, error: taskError, retryAt: instant }),
});

export const taskFailed = defineEvent({
  type: 'TaskFailed',
  /** 2: `reason`. */
  version: 2,
  aggregate,
  summary: 'The attempt failed and there is no further one: the task is finished.',
  data: z.object({
    ...outcome,
    error: taskError,
    /** No attempts were left, as against an error that must not be retried. */
    deadLettered: z.boolean(),
    /** Why a dead letter gets no further attempt; absent in 1, where it was `max_attempts`. */
    reason: z.enum(['max_attempts', 'retry_until']).optional(),
    /** The agent vanished: no outcome was reported, so none counts for its record. */
    lost: z.boolean().optional(),
  }),
});

export const taskExpired = defineEvent({
  type: 'TaskExpired',
  version: 1,
  aggregate,
  summary: 'A time that the task was given is over: it is finished as failed.',
  data: z.object({
    reason: z.enum(['deadline', 'retry_until', 'schedule_to_start']),
    error: taskError,
    deadLettered: z.boolean(),
    /** Whoever worked on it, whose attempt ends without an outcome. */
    agentId: clientId.optional(),
  }),
});

export const releaseReason = z.enum(['session_ended', 'not_started']);
export const taskReleased = defineEvent({
  type: 'TaskReleased',
  version: 1,
  aggregate,
  summary: 'The lease ended without an outcome; the task goes back to pending.',
  data: z.object({
    agentId: clientId,
    attempt: count,
    reason: releaseReason,
    /** The agent does not get this task again until it registers anew. */
    exclude: z.boolean(),
  }),
});

export const taskCancelled = defineEvent({
  type: 'TaskCancelled',
  /** 2: `cause`. */
  version: 2,
  aggregate,
  summary: 'The task was called off.',
  data: z.object({
    reason: z.string().optional(),
    agentId: clientId.optional(),
    /** The failed task at the root, where the task's own `onDependencyFailure` called it off. */
    cause: uuid.optional(),
  }),
});

export const taskReprioritised = defineEvent({
  type: 'TaskReprioritised',
  version: 1,
  aggregate,
  summary: 'The task has another priority; its age in the queue stays.',
  data: z.object({ priority }),
});

/** Of a pause: one type of tasks; absent: the whole project. */
const ofQueue = z.object({ taskType: label.optional() });

export const queuePaused = defineEvent({
  type: 'QueuePaused',
  version: 1,
  aggregate,
  summary:
    'No more tasks of the project, or of the type, are assigned. Only in the first partition.',
  data: ofQueue,
});

export const queueResumed = defineEvent({
  type: 'QueueResumed',
  version: 1,
  aggregate,
  summary: 'The pause of the project, or of the type, is over. Only in the first partition.',
  data: ofQueue,
});

/** How a task ended, as far as those who wait for it are concerned. */
export const dependencyOutcome = z.object({
  /** `reopened`: it failed or was blocked, and may complete after all. */
  outcome: z.enum(['completed', 'failed', 'reopened']),
  /** The failed task at the root; else the task itself. */
  cause: uuid,
});
export type DependencyOutcome = z.output<typeof dependencyOutcome>;

export const dependencySettled = defineEvent({
  type: 'DependencySettled',
  /** 2: `reopened`. */
  version: 2,
  aggregate,
  summary: 'A task of another partition, for which tasks of this one wait, is now so.',
  data: dependencyOutcome,
});

export const outcomeRepeated = defineEvent({
  type: 'OutcomeRepeated',
  /** 2: `reopened`. */
  version: 2,
  aggregate,
  summary: 'A task of another partition waits for this one, and may not know that it is so.',
  data: dependencyOutcome,
});

export const othersFollowed = defineEvent({
  type: 'OthersFollowed',
  version: 1,
  aggregate,
  summary: 'What the other task partitions hold up to here has been considered.',
  data: z.object({ seq: count }),
});

export const partitionsGrown = defineEvent({
  type: 'PartitionsGrown',
  version: 1,
  aggregate,
  summary: 'Partitions were added; they take no tasks yet. Only in the first partition.',
  data: z.object({ partitions: count }),
});

export const partitionsAdopted = defineEvent({
  type: 'PartitionsAdopted',
  version: 1,
  aggregate,
  summary: 'This partition knows of the added ones, and takes no idempotency keys of theirs.',
  data: z.object({
    partitions: count,
    /** Position of the growth: what other partitions hold before it concerns nobody here. */
    since: count,
  }),
});

export const partitionsActivated = defineEvent({
  type: 'PartitionsActivated',
  version: 1,
  aggregate,
  summary: 'Every partition knows of the added ones: they take tasks. Only in the first partition.',
  data: z.object({ partitions: count }),
});

/** The life of one task, in the partition that its id names. */
export const taskLifeEvents = [
  taskCreated,
  taskRedriven,
  dependencyCompleted,
  dependencyReopened,
  taskBlocked,
  taskDue,
  taskAssigned,
  taskStarted,
  taskProgressed,
  taskCompleted,
  attemptFailed,
  taskFailed,
  taskExpired,
  taskReleased,
  taskCancelled,
  taskReprioritised,
] as const;

/** What concerns a partition as a whole, tasks of another one, or schedules. */
export const taskPartitionEvents = [
  routerOpened,
  dependencySettled,
  outcomeRepeated,
  othersFollowed,
  partitionsGrown,
  partitionsAdopted,
  partitionsActivated,
  ...scheduleEvents,
  queuePaused,
  queueResumed,
] as const;

export const taskEvents = [...taskLifeEvents, ...taskPartitionEvents] as const;

export type TaskLifeEvent = EventOf<(typeof taskLifeEvents)[number]>;
export type TaskPartitionEvent = EventOf<(typeof taskPartitionEvents)[number]>;
export type TaskEvent = TaskLifeEvent | TaskPartitionEvent;

const ofPartitions: ReadonlySet<string> = new Set(taskPartitionEvents.map(({ type }) => type));

export const isOfPartition = (event: TaskEvent): event is TaskPartitionEvent =>
  ofPartitions.has(event.type);
