import type { TermCount } from './frequencies.js';
import { type CorpusTable, inverseDocumentFrequency } from './table.js';

/** TF-IDF weights of a document's terms, scaled to length 1. */
export type Vector = ReadonlyMap<string, number>;

/** The weights that a corpus gives to terms; those missing in its table occur in one document. */
export function weighing(table: CorpusTable): (terms: readonly TermCount[]) => Vector {
  const having = new Map(table.rows.map(([term, documents]) => [term, documents]));
  return (terms) => {
    const weights = terms.map(([term, count]): TermCount => {
      return [term, count * inverseDocumentFrequency(table.documents, having.get(term) ?? 1)];
    });
    const length = Math.hypot(...weights.map(([, weight]) => weight));
    return new Map(weights.map(([term, weight]) => [term, length === 0 ? 0 : weight / length]));
  };
}

/** Cosine of two vectors of length 1: 0 nothing in common, 1 the same. */
export function cosine(a: Vector, b: Vector): number {
  const [fewer, more] = a.size <= b.size ? [a, b] : [b, a];
  let sum = 0;
  for (const [term, weight] of fewer) sum += weight * (more.get(term) ?? 0);
  return sum;
}

/** The terms that two documents have in common, those that bind them most first. */
export function sharedTerms(a: Vector, b: Vector, max: number): string[] {
  return [...a]
    .map(([term, weight]): TermCount => [term, weight * (b.get(term) ?? 0)])
    .filter(([, product]) => product > 0)
    .sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1))
    .slice(0, max)
    .map(([term]) => term);
}
