import {
  INVALID_INPUT,
  Refused,
  deepestIssue,
  type Input,
  type Operation,
} from '@athena/operation';
import { z } from 'zod';

const DETAIL_LENGTH_MAX = 500;

/** Whether the operation's input has a field of this name. */
export const takesField = (operation: Operation, field: string): boolean =>
  operation.input instanceof z.ZodObject && field in operation.input.shape;

/**
 * Checks an input from outside against the operation's schema; defaults are filled in.
 * @throws Refused INVALID_INPUT with the field at fault
 */
export function checkInput<T extends Operation>(operation: T, raw: unknown): Input<T> {
  const { success, data, error } = operation.input.safeParse(raw);
  if (success) return data as Input<T>;
  const issue = deepestIssue(error.issues[0] as z.core.$ZodIssue);
  const field = issue.path.map(String).join('.');
  const detail = `${field ? `${field}: ` : ''}${issue.message}`.slice(0, DETAIL_LENGTH_MAX);
  throw Refused.because(INVALID_INPUT, detail, field || undefined);
}
