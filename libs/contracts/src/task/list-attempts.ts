import { NOT_CAUGHT_UP, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { clientId, count, instant, page, uuid } from '../schemas.js';
import { taskError } from './record.js';
import { TASK_NOT_FOUND } from './refusals.js';

export const taskAttempt = z.object({
  attempt: count,
  agentId: clientId,
  kind: clientId,
  assignedAt: instant,
  /** Null: the agent never began. */
  startedAt: instant.nullable(),
  /** Null: it is under way. */
  endedAt: instant.nullable(),
  /**
   * `failed`: the agent said so, or it ran too long. `lost`: the agent's session ended.
   * `not_started`: it was taken back and did not count. Null: it is under way.
   */
  outcome: z.enum(['completed', 'failed', 'lost', 'not_started', 'cancelled']).nullable(),
  error: taskError.nullable(),
  /** Milliseconds, as the agent reported it, else from start to end. */
  durationMs: z.number().nullable(),
});
export type TaskAttempt = z.output<typeof taskAttempt>;

export const listAttempts = defineQuery({
  name: 'task.attempts',
  summary: 'Every attempt at a task with how it ended, oldest first.',
  scope: 'tasks:read',
  to: { service: 'episodic-memory' },
  http: { method: 'GET', path: '/v1/tasks/{taskId}/attempts' },
  input: z.strictObject({ taskId: uuid, minSeq: page.minSeq }),
  output: z.object({ attempts: z.array(taskAttempt) }),
  refusals: [TASK_NOT_FOUND, NOT_CAUGHT_UP],
});
