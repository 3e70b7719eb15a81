import { defineRefusal } from '@athena/operation';

export const PROJECTION_NOT_FOUND = defineRefusal({
  code: 'PROJECTION_NOT_FOUND',
  kind: 'not_found',
  retryable: false,
  summary: 'There is no projection with this name.',
  remedy: 'Use one of the names in the detail; GET /v1/projections lists them.',
});
export const PROJECTION_NOT_REBUILDABLE = defineRefusal({
  code: 'PROJECTION_NOT_REBUILDABLE',
  kind: 'conflict',
  retryable: false,
  summary: 'It is no fold of the log but the archive itself, the second copy of every event.',
  remedy: 'Compare it with the log by POST /v1/log/verify.',
});
export const PROJECTION_BUSY = defineRefusal({
  code: 'PROJECTION_BUSY',
  kind: 'conflict',
  retryable: false,
  summary: 'A rollback can’t begin during a rebuild, nor a rebuild during a rollback.',
  remedy: 'Wait until it is over; GET /v1/projections tells how far it is.',
});
export const NO_PREVIOUS_PROJECTION = defineRefusal({
  code: 'NO_PREVIOUS_PROJECTION',
  kind: 'conflict',
  retryable: false,
  summary: 'No table of the projection was kept that could take its place again.',
  remedy: 'A table is kept by each rebuild, until the next rebuild or a rollback.',
});
