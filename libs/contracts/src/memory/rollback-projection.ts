import { UNAVAILABLE, defineCommand } from '@athena/operation';
import { z } from 'zod';
import { clientId } from '../schemas.js';
import { projectionJob } from './list-projections.js';
import {
  NO_PREVIOUS_PROJECTION,
  PROJECTION_BUSY,
  PROJECTION_NOT_FOUND,
  PROJECTION_NOT_REBUILDABLE,
} from './refusals.js';

export const rollbackProjection = defineCommand({
  name: 'projections.rollback',
  summary: 'Let the table that the last rebuild replaced catch up, and put it back in its place.',
  scope: 'admin',
  to: { service: 'episodic-memory' },
  http: { method: 'POST', path: '/v1/projections/{name}/rollback' },
  destructive: true,
  input: z.strictObject({ name: clientId }),
  /** As it stands now; where a rollback is under way already, that one. */
  output: projectionJob,
  refusals: [
    PROJECTION_NOT_FOUND,
    PROJECTION_NOT_REBUILDABLE,
    NO_PREVIOUS_PROJECTION,
    PROJECTION_BUSY,
    UNAVAILABLE,
  ],
});
