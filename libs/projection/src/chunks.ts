/** The items in order, at most `max` at a time. */
export function* chunks<T>(items: readonly T[], max: number): Iterable<readonly T[]> {
  for (let from = 0; from < items.length; from += max) yield items.slice(from, from + max);
}
