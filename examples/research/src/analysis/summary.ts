import { SUMMARY_SENTENCES, SUMMARY_TERMS_MIN } from '../limits.js';
import { termsOf } from './terms.js';

export interface Chosen {
  /** Place of the sentence in the document, from 0. */
  readonly index: number;
  readonly text: string;
}

interface Candidate extends Chosen {
  readonly terms: readonly string[];
}

const endsLikeProse = (sentence: string): boolean => /[.!?…。！？]["”’')\]]?$/u.test(sentence);

/**
 * Extractive summary after SumBasic (Nenkova and Vanderwende, 2005): a sentence weighs as much as
 * the mean probability of its terms; when one is chosen, the probabilities of its terms are
 * squared, so that the next one says something else. Headings and fragments are no candidates.
 */
export function summarise(
  sentences: readonly string[],
  counts: ReadonlyMap<string, number>,
  size: number = SUMMARY_SENTENCES,
): Chosen[] {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const probability = new Map([...counts].map(([term, count]) => [term, count / total]));
  const left = candidates(sentences);
  const chosen: Candidate[] = [];
  while (chosen.length < size && left.length > 0) {
    const best = left.reduce((a, b) => (weight(b, probability) > weight(a, probability) ? b : a));
    left.splice(left.indexOf(best), 1);
    chosen.push(best);
    for (const term of new Set(best.terms)) {
      probability.set(term, (probability.get(term) ?? 0) ** 2);
    }
  }
  return chosen.sort((a, b) => a.index - b.index).map(({ index, text }) => ({ index, text }));
}

/** Mean probability of a sentence's terms. */
export function weight(
  { terms }: { readonly terms: readonly string[] },
  probability: ReadonlyMap<string, number>,
): number {
  if (terms.length === 0) return 0;
  return terms.reduce((sum, term) => sum + (probability.get(term) ?? 0), 0) / terms.length;
}

function candidates(sentences: readonly string[]): Candidate[] {
  const all = sentences.map((text, index) => ({ index, text, terms: termsOf(text) }));
  const prose = all.filter(
    ({ text, terms }) => terms.length >= SUMMARY_TERMS_MIN && endsLikeProse(text),
  );
  return prose.length > 0 ? prose : all.filter(({ terms }) => terms.length > 0);
}
