import { UNAVAILABLE, defineCommand } from '@athena/operation';
import { z } from 'zod';
import { clientId } from '../schemas.js';
import { projectionJob } from './list-projections.js';
import { PROJECTION_BUSY, PROJECTION_NOT_FOUND, PROJECTION_NOT_REBUILDABLE } from './refusals.js';

export const rebuildProjection = defineCommand({
  name: 'projections.rebuild',
  summary: 'Fold the log from zero into a new table beside a projection’s own, and switch to it.',
  scope: 'admin',
  to: { service: 'episodic-memory' },
  http: { method: 'POST', path: '/v1/projections/{name}/rebuild' },
  input: z.strictObject({ name: clientId }),
  /** As it stands now; where a rebuild is under way already, that one. */
  output: projectionJob,
  refusals: [PROJECTION_NOT_FOUND, PROJECTION_NOT_REBUILDABLE, PROJECTION_BUSY, UNAVAILABLE],
});
