import { FORBIDDEN, defineCommand } from '@athena/operation';
import { z } from 'zod';
import { projectId } from './record.js';
import { RESERVED_NAME, TOO_MANY_PROJECTS } from './refusals.js';

export const createProject = defineCommand({
  name: 'project.create',
  summary: 'Make a project: its tasks, agents and keys are invisible to every other.',
  scope: 'admin',
  to: { service: 'gateway' },
  http: { method: 'POST', path: '/v1/projects', status: 201 },
  input: z.strictObject({ project: projectId }),
  output: z.object({ project: projectId, created: z.boolean() }),
  refusals: [FORBIDDEN, RESERVED_NAME, TOO_MANY_PROJECTS],
  idempotent: true,
});
