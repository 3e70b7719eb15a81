import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { AGENT_NOT_FOUND } from './refusals.js';
import { clientId } from '../schemas.js';
import { claimedTask } from '../task/place-tasks.js';
import { cancelledTasks } from '../task/record.js';

/** Agents only (NATS): a long poll with credits. */
export const claimTasks = defineCommand({
  name: 'agent.claim',
  summary: 'An agent asks for up to `capacity` tasks and waits for the first.',
  agentVerb: 'claim',
  to: { service: 'router' },
  input: z.strictObject({
    agentId: clientId,
    capacity: z.int().min(1).max(limits.MAX_CONCURRENT_TASKS_MAX),
    waitMs: z.int().min(0).max(limits.CLAIM_WAIT_MS_MAX).default(limits.CLAIM_WAIT_MS_MAX),
    claimId: clientId,
  }),
  output: z.object({ tasks: z.array(claimedTask), cancelled: cancelledTasks }),
  refusals: [AGENT_NOT_FOUND],
});
