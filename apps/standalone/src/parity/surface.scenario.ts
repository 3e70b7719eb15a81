import type { Operation } from '@athena/operation';
import type { As } from './life.scenario.js';
import type { Row } from './row.scenario.js';

export interface Refused {
  readonly code: string;
  readonly detail: string;
  readonly field?: string | undefined;
  readonly retryable?: boolean;
}

export type Outcome = { readonly answer: unknown } | { readonly refused: Refused };

/** One way in, as one project uses it. */
export interface Surface {
  offers(row: Row, as: As): boolean;
  call(row: Row, input: unknown, as: As): Promise<Outcome>;
  /** An outcome of REST as far as this surface tells it; default: all of it. */
  expected?(outcome: Outcome, row: Row): Outcome;
  /** Asks again by itself what is refused for the moment. */
  readonly retries?: boolean;
  close(): Promise<void>;
}

export type Keys = Readonly<Record<As, string>>;

export interface Door {
  readonly url: string;
  readonly natsUrl: string;
  readonly project: string;
  readonly keys: Keys;
}

/** The fields of a refusal that every surface tells, and whether it may pass where it is told. */
export const refused = ({ code, detail, field, retryable }: Refused): Outcome => ({
  refused: { code, detail, field, ...(retryable === undefined ? {} : { retryable }) },
});

export const withoutRetryable = (outcome: Outcome): Outcome => {
  if ('answer' in outcome) return outcome;
  const { code, detail, field } = outcome.refused;
  return refused({ code, detail, field });
};

/** Over NATS an application proves its project only: managing keys is left to REST. */
export const isForApps = ({ scope }: Operation): boolean => scope !== 'admin';
