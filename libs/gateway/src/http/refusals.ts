import { defineRefusal } from '@athena/operation';

/* Refusals that only HTTP knows; their statuses are in problem.ts. */
export const METHOD_NOT_ALLOWED = defineRefusal({
  code: 'METHOD_NOT_ALLOWED',
  kind: 'invalid',
  retryable: false,
  summary: 'The path exists, but not with this method.',
  remedy: 'Use a method that the answer’s Allow header names.',
});
export const UNSUPPORTED_MEDIA_TYPE = defineRefusal({
  code: 'UNSUPPORTED_MEDIA_TYPE',
  kind: 'invalid',
  retryable: false,
  summary: 'The body is not plain JSON.',
  remedy: 'Send `Content-Type: application/json` without Content-Encoding.',
});
export const REQUEST_TIMEOUT = defineRefusal({
  code: 'REQUEST_TIMEOUT',
  kind: 'invalid',
  retryable: true,
  summary: 'The request did not arrive whole in time.',
  remedy: 'Send it again, faster or in smaller parts.',
});
