import { UNAVAILABLE, defineQuery } from '@athena/operation';
import { z } from 'zod';
import { clientId, label, uuid } from '../schemas.js';
import { consolidationRecord } from './consolidation.js';
import { attemptFigures, recommendation } from './figures.js';
import { CONSOLIDATION_NOT_FOUND } from './refusals.js';

export const getConsolidation = defineQuery({
  name: 'consolidation.get',
  summary: 'One kept consolidation with all its figures and what rules made of them then.',
  scope: 'tasks:read',
  to: { service: 'consolidation' },
  http: { method: 'GET', path: '/v1/consolidations/{consolidationId}' },
  input: z.strictObject({ consolidationId: uuid }),
  output: consolidationRecord.extend({
    byType: z.array(attemptFigures.extend({ taskType: label })),
    byKind: z.array(attemptFigures.extend({ kind: clientId })),
    byTypeAndKind: z.array(attemptFigures.extend({ taskType: label, kind: clientId })),
    recommendations: z.array(recommendation),
  }),
  refusals: [CONSOLIDATION_NOT_FOUND, UNAVAILABLE],
});
