import { allRefusals, type Operation, type RefusalKind } from '@athena/operation';
import { statusOfKind } from '@athena/service-kit';
import { isOfHttpOnly, statusOf } from './problem.js';

/** What is known of a refusal before it happens. */
export interface CataloguedRefusal {
  readonly code: string;
  readonly kind: RefusalKind;
  readonly title: string;
  readonly remedy: string;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  readonly httpStatus: number;
  /** `Nats-Service-Error-Code`; null: it comes over HTTP only. */
  readonly natsCode: number | null;
  /** The operations that declare it; any other may be refused with what any request may be. */
  readonly operations: readonly string[];
}

/** Every declared refusal, by code. */
export const errorCatalogue = (operations: readonly Operation[]): readonly CataloguedRefusal[] =>
  [...allRefusals()]
    .sort((a, b) => (a.code < b.code ? -1 : 1))
    .map((refusal) => ({
      code: refusal.code,
      kind: refusal.kind,
      title: refusal.summary,
      remedy: refusal.remedy,
      retryable: refusal.retryable,
      httpStatus: statusOf(refusal),
      natsCode: isOfHttpOnly(refusal) ? null : statusOfKind(refusal.kind),
      operations: operations
        .filter(({ refusals }) => refusals.includes(refusal))
        .map(({ name }) => name)
        .sort(),
    }));
