import { AthenaError } from '../errors.js';

interface Problem {
  readonly code?: unknown;
  readonly detail?: unknown;
  readonly title?: unknown;
  readonly requestId?: unknown;
  readonly retryable?: unknown;
  readonly field?: unknown;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** What a proxy or an overloaded server says without being the platform. */
const passingStatus = (status: number): boolean => [429, 502, 503, 504].includes(status);

/**
 * A refusal from an HTTP answer: RFC 9457 problem details with `code`, `detail`, `retryable`,
 * `requestId` and `field`. Answers that aren't of the platform keep their status as the code.
 */
export function problemError(
  status: number,
  body: string,
  headers: { get(name: string): string | null },
): AthenaError {
  const problem = parsed(body);
  const code = textOf(problem.code) ?? `HTTP_${status}`;
  const detail = textOf(problem.detail) ?? textOf(problem.title) ?? `HTTP status ${status}`;
  const retryAfter = Number(headers.get('retry-after') ?? NaN);
  return new AthenaError(code, detail, {
    status,
    retryable: typeof problem.retryable === 'boolean' ? problem.retryable : passingStatus(status),
    outcomeUnknown: code === 'OUTCOME_UNKNOWN' || code === 'HTTP_502' || code === 'HTTP_504',
    field: textOf(problem.field),
    requestId: textOf(problem.requestId) ?? headers.get('x-request-id') ?? undefined,
    retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1_000 : undefined,
  });
}

function parsed(body: string): Problem {
  try {
    const value: unknown = JSON.parse(body);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
