import { INTERNAL, Refused, refuse, type Refusal } from '@athena/operation';
import { snakeName } from './names.js';

/** What an error says to the outside: of an unexpected one nothing but that it happened. */
export const refusalOf = (error: unknown): Refusal =>
  error instanceof Refused
    ? error.refusal
    : refuse(INTERNAL, 'the logs have it under the request id');

const WORD = /\b[a-z]+(?:[A-Z][a-z0-9]*)+\b/g;

/**
 * A refusal that names fields as the operation does, in the names of a tool.
 * @param names every name that the input declares
 * @param renames name here → field of the operation, where that is not the mechanical one
 */
export function inToolNames(
  { field, detail, ...rest }: Refusal,
  names: readonly string[],
  renames: Readonly<Record<string, string>>,
): Refusal {
  const known = new Map(names.map((name) => [renames[name] ?? name, snakeName(name)]));
  const renamed = (text: string): string =>
    text.replaceAll(WORD, (word) => known.get(word) ?? word);
  return {
    ...rest,
    detail: renamed(detail),
    ...(field === undefined ? {} : { field: renamed(field) }),
  };
}
