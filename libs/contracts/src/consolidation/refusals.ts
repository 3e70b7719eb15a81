import { defineRefusal } from '@athena/operation';

export const CONSOLIDATION_NOT_FOUND = defineRefusal({
  code: 'CONSOLIDATION_NOT_FOUND',
  kind: 'not_found',
  retryable: false,
  summary: 'The project has kept no consolidation with this id.',
  remedy: 'List the kept ones with GET /v1/consolidations.',
});
