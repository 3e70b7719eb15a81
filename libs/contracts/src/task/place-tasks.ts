import { defineCommand, defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, count, instant, label, metadata, uuid } from '../schemas.js';
import { routingDecision } from './events.js';
import { lease, priority } from './record.js';
import { ALREADY_ASSIGNED, NOT_ASSIGNABLE, STALE_ROUTER, TASK_NOT_FOUND } from './refusals.js';

/** A task as an agent gets it with a claim or poll. */
export const claimedTask = z.object({
  taskId: uuid,
  attempt: count,
  lease,
  leaseUntil: instant,
  content: z.unknown(),
  taskType: label,
  priority,
  requirements: z.array(label),
  metadata: metadata.nullable(),
});
export type ClaimedTask = z.output<typeof claimedTask>;

export const placement = z.object({
  taskId: uuid,
  agentId: clientId,
  kind: clientId,
  session: count,
  claimId: z.string().optional(),
  /**
   * Which assignment of the task it is to be, from 1 on: a proposal that comes late, or twice, must
   * not be carried out again when the task is back. Absent: whichever is next.
   */
  assignment: count.optional(),
  decision: routingDecision,
  /** By an operator's hand: also tasks with autoRoute false. */
  manual: z.boolean().optional(),
});
export type Placement = z.output<typeof placement>;

export const placeTasks = defineCommand({
  name: 'task.place',
  summary: 'The router proposes assignments (internal); each is decided for itself.',
  to: { partition: 'task' },
  input: z.object({
    partition: count,
    routerEpoch: count,
    placements: z.array(placement).max(limits.ITEMS_MAX),
  }),
  output: z.object({
    results: z.array(
      z.union([
        z.object({ task: claimedTask }),
        z.object({ refusal: z.object({ code: z.string(), detail: z.string() }) }),
      ]),
    ),
  }),
  refusals: [STALE_ROUTER, TASK_NOT_FOUND, ALREADY_ASSIGNED, NOT_ASSIGNABLE],
});

export const heldTasks = defineQuery({
  name: 'task.held',
  summary: 'Tasks that an agent holds and has not started, as claims give them (internal).',
  to: { partition: 'task' },
  input: z.object({
    partition: count,
    agentId: clientId,
    /** Only those assigned for this claim. */
    claimId: z.string().optional(),
    limit: count,
  }),
  output: z.object({ tasks: z.array(claimedTask) }),
  refusals: [],
});

export const openRouter = defineCommand({
  name: 'task.openRouter',
  summary: 'A router takes over a partition (internal); epochs only grow.',
  to: { partition: 'task' },
  input: z.object({ partition: count, router: z.string() }),
  output: z.object({ routerEpoch: count, seq: count }),
  refusals: [],
});

export const releaseSession = defineCommand({
  name: 'task.releaseSession',
  summary: 'An agent’s session ended: its work up to that session goes back (internal).',
  to: { partition: 'task' },
  input: z.object({
    partition: count,
    agentId: clientId,
    /** This session and older ones. */
    session: count,
    /** The agent is not to get these tasks again before it registers anew. */
    exclude: z.boolean(),
  }),
  output: z.object({ released: count }),
  refusals: [],
  idempotent: true,
});
