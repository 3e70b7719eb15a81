import { defineRefusal } from '@athena/operation';

export const PROJECT_NOT_FOUND = defineRefusal({
  code: 'PROJECT_NOT_FOUND',
  kind: 'not_found',
  retryable: false,
  summary: 'There is no such project.',
  remedy: 'Make it first with POST /v1/projects.',
});
export const KEY_NOT_FOUND = defineRefusal({
  code: 'KEY_NOT_FOUND',
  kind: 'not_found',
  retryable: false,
  summary: 'There is no such key in the project.',
  remedy: 'List the keys with GET /v1/keys.',
});
export const TOO_MANY_KEYS = defineRefusal({
  code: 'TOO_MANY_KEYS',
  kind: 'limit',
  retryable: false,
  summary: 'The project has as many API keys, revoked ones included, as one may have.',
  remedy: 'Reuse a key, or make another project.',
});
export const TOO_MANY_PROJECTS = defineRefusal({
  code: 'TOO_MANY_PROJECTS',
  kind: 'limit',
  retryable: false,
  summary: 'There are as many projects as there may be.',
  remedy: 'Reuse a project, or run another installation.',
});
export const RESERVED_NAME = defineRefusal({
  code: 'RESERVED_NAME',
  kind: 'invalid',
  retryable: false,
  summary: 'The name is kept for Athena itself.',
  remedy: 'Choose another name.',
});
