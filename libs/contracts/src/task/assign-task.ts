import { defineCommand } from '@athena/operation';
import { z } from 'zod';
import { AGENT_NOT_FOUND } from '../agent/refusals.js';
import { clientId, uuid } from '../schemas.js';
import { taskStatus } from './record.js';
import {
  ALREADY_ASSIGNED,
  ILLEGAL_TRANSITION,
  NOT_ASSIGNABLE,
  TASK_NOT_FOUND,
} from './refusals.js';

export const assignTask = defineCommand({
  name: 'task.assign',
  summary: 'Give a pending task to one agent by hand.',
  scope: 'tasks:write',
  to: { service: 'router' },
  http: { method: 'POST', path: '/v1/tasks/{taskId}/assign' },
  input: z.strictObject({ taskId: uuid, agentId: clientId }),
  output: z.object({ taskId: uuid, agentId: clientId, status: taskStatus }),
  refusals: [TASK_NOT_FOUND, AGENT_NOT_FOUND, ALREADY_ASSIGNED, NOT_ASSIGNABLE, ILLEGAL_TRANSITION],
  idempotent: true,
});
