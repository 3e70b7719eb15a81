import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count } from '../schemas.js';

export const systemHealth = defineQuery({
  name: 'system.health',
  summary: 'Whether every service answers.',
  scope: 'tasks:read',
  to: { service: 'gateway' },
  http: { method: 'GET', path: '/v1/health' },
  input: z.strictObject({}),
  output: z.object({
    status: z.enum(['ok', 'degraded']),
    services: z.record(z.string(), z.object({ status: z.enum(['ok', 'down']) })),
    /** Position of the log's end. */
    seq: count,
  }),
  refusals: [],
});
