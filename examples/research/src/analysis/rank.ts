import { KEY_TERMS, LINKS_PER_DOCUMENT, LINK_COSINE_MIN, LINK_TERMS } from '../limits.js';
import { type TermCount, byValue } from './frequencies.js';
import { type Vector, cosine, sharedTerms } from './vectors.js';

export interface Link {
  /** Index of the other document. */
  readonly to: number;
  readonly cosine: number;
  readonly terms: readonly string[];
}

export interface Placed {
  readonly index: number;
  /** Its terms with the largest weights. */
  readonly keyTerms: readonly TermCount[];
  readonly links: readonly Link[];
  /** Mean cosine to all other documents: how much it has in common with the rest. */
  readonly centrality: number;
}

const DECIMALS = 10_000;
export const rounded = (value: number): number => Math.round(value * DECIMALS) / DECIMALS;

/** Places document `index` among all others. */
export function placeDocument(vectors: readonly Vector[], index: number): Placed {
  const own = vectors[index] as Vector;
  const others = vectors
    .map((vector, to) => ({ to, vector, cosine: cosine(own, vector) }))
    .filter(({ to }) => to !== index);
  const links = others
    .filter((other) => other.cosine >= LINK_COSINE_MIN)
    .sort((a, b) => b.cosine - a.cosine || a.to - b.to)
    .slice(0, LINKS_PER_DOCUMENT)
    .map((other) => ({
      to: other.to,
      cosine: rounded(other.cosine),
      terms: sharedTerms(own, other.vector, LINK_TERMS),
    }));
  const sum = others.reduce((total, other) => total + other.cosine, 0);
  return {
    index,
    keyTerms: [...own]
      .sort(byValue)
      .slice(0, KEY_TERMS)
      .map(([term, weight]) => [term, rounded(weight)]),
    links,
    centrality: rounded(others.length === 0 ? 0 : sum / others.length),
  };
}
