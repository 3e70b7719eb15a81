/** A term and how often it occurs. */
export type TermCount = readonly [term: string, count: number];

export function countTerms(terms: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

/** By a number downwards, then by term: the one order of this example, the same everywhere. */
export const byValue = (a: TermCount, b: TermCount): number =>
  b[1] - a[1] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

/** The most frequent terms, at most `max`. */
export const topTerms = (counts: ReadonlyMap<string, number>, max: number): TermCount[] =>
  [...counts].sort(byValue).slice(0, max);
