/**
 * A refusal is a declared "no": the command was understood and can't be so. It is part of an
 * operation's contract; how a surface shows it (HTTP status, NATS header) derives from `kind`.
 */
export type RefusalKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'too_large'
  | 'mismatch'
  | 'limit'
  | 'unavailable'
  | 'internal';

export interface RefusalDefinition {
  /** SCREAMING_SNAKE name, the same on every surface, forever. */
  readonly code: string;
  readonly kind: RefusalKind;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  readonly summary: string;
  /** What the caller should do. Shown in the error catalogue and in answers. */
  readonly remedy: string;
}

/** A refusal as it travels: the definition's code with the detail of this one case. */
export interface Refusal {
  readonly code: string;
  readonly detail: string;
  readonly retryable: boolean;
  /** The input field at fault, as a dotted path, where there is one. */
  readonly field?: string;
}

const definitions = new Map<string, RefusalDefinition>();

/** Declares a refusal. A code is declared once in the whole system. */
export function defineRefusal(definition: RefusalDefinition): RefusalDefinition {
  if (definitions.has(definition.code))
    throw new Error(`refusal ${definition.code} is declared twice`);
  definitions.set(definition.code, definition);
  return definition;
}

/** Every declared refusal, for the error catalogue. */
export const allRefusals = (): readonly RefusalDefinition[] => [...definitions.values()];

export const findRefusal = (code: string): RefusalDefinition | undefined => definitions.get(code);

/** The value form, for deciders: no stack is taken on the hot path. */
export function refuse(definition: RefusalDefinition, detail: string, field?: string): Refusal {
  const refusal = { code: definition.code, detail, retryable: definition.retryable };
  return field === undefined ? refusal : { ...refusal, field };
}

/** The exception form, for everything outside a decider. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.code}: ${refusal.detail}`);
    this.refusal = refusal;
  }

  static because(definition: RefusalDefinition, detail: string, field?: string): Refused {
    return new Refused(refuse(definition, detail, field));
  }
}
