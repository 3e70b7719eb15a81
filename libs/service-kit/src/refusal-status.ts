import { findRefusal, type RefusalKind } from '@athena/operation';

const STATUS_OF_KIND: Readonly<Record<RefusalKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  mismatch: 422,
  limit: 429,
  internal: 500,
  unavailable: 503,
};

/** The HTTP status of a kind of refusal: REST's status and NATS' `Nats-Service-Error-Code`. */
export const statusOfKind = (kind: RefusalKind): number => STATUS_OF_KIND[kind];

/** The status of a declared refusal's code; 500 for a code that nobody declared. */
export const statusOfCode = (code: string): number =>
  statusOfKind(findRefusal(code)?.kind ?? 'internal');
