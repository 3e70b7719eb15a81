import { randomUUID } from 'node:crypto';
import type { Operation } from '@athena/operation';

export interface Prepared {
  readonly input: unknown;
  /** For transports that can carry a key beside the input. */
  readonly key: string | undefined;
  /** The same request may be sent again without harm. */
  readonly repeatable: boolean;
}

type Fields = Record<string, unknown>;

/** Whether an object schema has the field. */
const has = (schema: unknown, field: string): boolean =>
  field in ((schema as { shape?: Fields } | undefined)?.shape ?? {});

/**
 * Gives a command its idempotency key: the caller's or a new one, put where the operation's input
 * has a place for it (of a dispatch that is the task inside).
 */
export function withIdempotencyKey(
  operation: Operation,
  input: unknown,
  asked: string | undefined,
  newId: () => string = randomUUID,
): Prepared {
  if (operation.kind === 'query') return { input, key: undefined, repeatable: true };
  const fields = input as Fields;
  if (has(operation.input, 'idempotencyKey')) {
    const key = asked ?? fields['idempotencyKey'] ?? newId();
    return { input: { ...fields, idempotencyKey: key }, key: undefined, repeatable: true };
  }
  if (has((operation.input as { shape?: Fields }).shape?.['task'], 'idempotencyKey')) {
    const task = fields['task'] as Fields;
    const key = asked ?? task['idempotencyKey'] ?? newId();
    const keyed = { ...fields, task: { ...task, idempotencyKey: key } };
    return { input: keyed, key: undefined, repeatable: true };
  }
  return { input, key: asked, repeatable: operation.idempotent ?? false };
}
