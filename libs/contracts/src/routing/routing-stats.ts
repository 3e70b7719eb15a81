import { defineQuery } from '@athena/operation';
import { z } from 'zod';
import { count, instant, percentiles } from '../schemas.js';

export const routingStats = defineQuery({
  name: 'routing.stats',
  summary: 'What the router decided since it was opened, and how long tasks waited for it.',
  scope: 'routing:read',
  to: { service: 'router' },
  http: { method: 'GET', path: '/v1/routing/stats' },
  input: z.strictObject({}),
  output: z.object({
    since: instant,
    assigned: count,
    refused: count,
    waiting: count,
    /** Waiting tasks by waitReason. */
    noRouteReasons: z.record(z.string(), count),
    assignmentRate: z.number().nullable(),
    timeToAssignMs: percentiles,
    policy: z.string(),
  }),
  refusals: [],
});
