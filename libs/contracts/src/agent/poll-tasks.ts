import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { AGENT_ID_TAKEN, AGENT_NOT_FOUND } from './refusals.js';
import { clientId } from '../schemas.js';
import { claimedTask } from '../task/place-tasks.js';
import { cancelledTasks } from '../task/record.js';

export const pollTasks = defineCommand({
  name: 'agent.poll',
  summary: 'A polling agent fetches its work; counts as contact.',
  scope: 'agents:write',
  agentsToo: true,
  to: { service: 'router' },
  http: { method: 'POST', path: '/v1/agents/{agentId}/poll' },
  input: z.strictObject({
    agentId: clientId,
    limit: z.int().min(1).max(limits.ITEMS_MAX).default(limits.POLL_LIMIT_DEFAULT),
  }),
  output: z.object({ tasks: z.array(claimedTask), cancelled: cancelledTasks }),
  refusals: [AGENT_NOT_FOUND, AGENT_ID_TAKEN],
});
