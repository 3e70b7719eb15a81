import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import * as limits from '../limits.js';
import { clientId, label, uuid } from '../schemas.js';
import { TASK_NOT_FOUND } from '../task/refusals.js';

export const routeTask = defineQuery({
  name: 'route.advise',
  summary: 'Which agent would get this task now, and why; nothing is assigned.',
  scope: 'routing:read',
  to: { service: 'router' },
  http: { method: 'POST', path: '/v1/route' },
  input: z
    .strictObject({
      taskId: uuid.optional(),
      task: z
        .strictObject({
          taskType: label.optional(),
          requirements: z.array(label).max(limits.REQUIREMENTS_MAX).default([]),
        })
        .optional(),
      excludeAgents: z.array(clientId).max(limits.EXCLUDED_AGENTS_MAX).default([]),
    })
    .refine((input) => (input.taskId === undefined) !== (input.task === undefined), {
      message: 'give either taskId or task',
    }),
  output: z.object({
    selectedAgent: clientId.nullable(),
    candidates: z.array(clientId),
    scores: z.record(z.string(), z.number()),
    reason: z.string(),
  }),
  refusals: [TASK_NOT_FOUND],
});
