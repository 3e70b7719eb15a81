import {
  INTERNAL,
  INVALID_INPUT,
  PAYLOAD_TOO_LARGE,
  Refused,
  UNKNOWN_OPERATION,
  findRefusal,
  refuse,
  type Refusal,
  type RefusalDefinition,
} from '@athena/operation';
import { statusOfKind } from '@athena/service-kit';
import { METHOD_NOT_ALLOWED, REQUEST_TIMEOUT, UNSUPPORTED_MEDIA_TYPE } from './refusals.js';

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
/** What a caller is told to wait after 429 and 503, seconds. */
export const RETRY_AFTER_SECONDS = 1;

/** RFC 9457, with our own members. `type` names the refusal; `title` and `remedy` explain it. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly field?: string;
  readonly remedy: string;
  readonly requestId: string;
  readonly retryable: boolean;
}

const HTTP_STATUS: Readonly<Record<string, number>> = {
  [METHOD_NOT_ALLOWED.code]: 405,
  [UNSUPPORTED_MEDIA_TYPE.code]: 415,
  [REQUEST_TIMEOUT.code]: 408,
};

/** Refusals of requests that never became an operation's. */
export const isOfHttpOnly = ({ code }: RefusalDefinition): boolean => code in HTTP_STATUS;

export const statusOf = (definition: RefusalDefinition): number =>
  HTTP_STATUS[definition.code] ?? statusOfKind(definition.kind);

/** The problem document of a refusal. */
export function problemOf(refusal: Refusal, requestId: string): Problem {
  const definition = findRefusal(refusal.code) ?? INTERNAL;
  const { code, detail, field, retryable } = refusal;
  return {
    type: `urn:athena:refusal:${code}`,
    title: definition.summary,
    status: statusOf(definition),
    code,
    detail,
    ...(field === undefined ? {} : { field }),
    remedy: definition.remedy,
    requestId,
    retryable,
  };
}

/** Headers that a problem's status calls for. */
export function problemHeaders({ status }: Problem): Readonly<Record<string, string>> {
  if (status === 401) return { 'www-authenticate': 'Bearer realm="athena"' };
  if (status === 429 || status === 503) return { 'retry-after': String(RETRY_AFTER_SECONDS) };
  return {};
}

/** What a thrown error says to the outside: of an unexpected one nothing but that it happened. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refused) return error.refusal;
  const { statusCode } = error as { statusCode?: unknown };
  switch (statusCode) {
    case 400:
      return refuse(INVALID_INPUT, 'the request can’t be read as HTTP with a JSON body');
    case 404:
      return refuse(UNKNOWN_OPERATION, 'nothing is served at this path');
    case 405:
      return refuse(METHOD_NOT_ALLOWED, 'this path does not have this method');
    case 408:
      return refuse(REQUEST_TIMEOUT, 'the request did not arrive whole in time');
    case 413:
      return refuse(PAYLOAD_TOO_LARGE, 'the body is over the limit of 1 MiB');
    case 414:
    case 431:
      return refuse(INVALID_INPUT, 'the path, the query or the headers are too long');
    case 415:
      return refuse(UNSUPPORTED_MEDIA_TYPE, 'the body must be application/json');
    default:
      return refuse(INTERNAL, 'the logs have it under the request id');
  }
}
