import { defineRefusal } from './refusal.js';

/** Refusals that any operation on any surface may answer. */
export const INVALID_INPUT = defineRefusal({
  code: 'INVALID_INPUT',
  kind: 'invalid',
  retryable: false,
  summary: 'The input does not fit the operation’s schema.',
  remedy: 'Correct the named field; the schema is in /openapi.json.',
});
export const UNKNOWN_OPERATION = defineRefusal({
  code: 'UNKNOWN_OPERATION',
  kind: 'not_found',
  retryable: false,
  summary: 'There is no such operation.',
  remedy: 'Look the name up in /openapi.json.',
});
export const PAYLOAD_TOO_LARGE = defineRefusal({
  code: 'PAYLOAD_TOO_LARGE',
  kind: 'too_large',
  retryable: false,
  summary: 'The request, or one value in it, is over its limit.',
  remedy: 'Send less at once; the limit is named in the detail.',
});
export const UNAUTHENTICATED = defineRefusal({
  code: 'UNAUTHENTICATED',
  kind: 'unauthenticated',
  retryable: false,
  summary: 'No valid API key came with the request.',
  remedy: 'Send `Authorization: Bearer <API key>`; make a key with POST /v1/keys.',
});
export const FORBIDDEN = defineRefusal({
  code: 'FORBIDDEN',
  kind: 'forbidden',
  retryable: false,
  summary: 'The API key lacks the scope that this operation needs.',
  remedy: 'Use a key with the scope named in the detail.',
});
export const OVERLOADED = defineRefusal({
  code: 'OVERLOADED',
  kind: 'limit',
  retryable: true,
  summary: 'A queue inside the service is full.',
  remedy: 'Retry with backoff; fewer requests at once.',
});
export const UNAVAILABLE = defineRefusal({
  code: 'UNAVAILABLE',
  kind: 'unavailable',
  retryable: true,
  summary: 'A part that this operation needs can’t be reached now. Nothing was changed.',
  remedy: 'Retry with backoff and the same idempotency key.',
});
export const OUTCOME_UNKNOWN = defineRefusal({
  code: 'OUTCOME_UNKNOWN',
  kind: 'unavailable',
  retryable: true,
  summary: 'The command was sent but no outcome is known: it may have happened.',
  remedy: 'Repeat it with the same idempotency key, which makes the repeat harmless.',
});
export const NOT_OWNER = defineRefusal({
  code: 'NOT_OWNER',
  kind: 'unavailable',
  retryable: true,
  summary: 'The process that was asked does not own the partition (any more).',
  remedy: 'Retry; callers inside the system do so by themselves.',
});
export const INCOMPATIBLE_PEER = defineRefusal({
  code: 'INCOMPATIBLE_PEER',
  kind: 'unavailable',
  retryable: true,
  summary: 'Two services of the installation are of releases that don’t understand each other.',
  remedy: 'Run one release everywhere: restart the processes of the older one with the newer.',
});
export const NOT_CAUGHT_UP = defineRefusal({
  code: 'NOT_CAUGHT_UP',
  kind: 'unavailable',
  retryable: true,
  summary: 'The projection has not reached the asked position (`minSeq`) in time.',
  remedy: 'Retry, or read without minSeq.',
});
export const INTERNAL = defineRefusal({
  code: 'INTERNAL',
  kind: 'internal',
  retryable: false,
  summary: 'Something went wrong inside; the logs have it under the request id.',
  remedy: 'Report it with the request id.',
});
