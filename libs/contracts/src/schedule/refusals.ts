import { defineRefusal } from '@athena/operation';

export const SCHEDULE_NOT_FOUND = defineRefusal({
  code: 'SCHEDULE_NOT_FOUND',
  kind: 'not_found',
  retryable: false,
  summary: 'There is no schedule with this id in the project.',
  remedy: 'Check the id and the project of the API key.',
});
export const TOO_MANY_SCHEDULES = defineRefusal({
  code: 'TOO_MANY_SCHEDULES',
  kind: 'limit',
  retryable: false,
  summary: 'The project has as many schedules as one may have.',
  remedy: 'Delete a schedule that is no longer needed.',
});
