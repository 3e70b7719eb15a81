import { TERM_BYTES_MAX } from '../limits.js';
import { STOP_WORDS } from './stop-words.js';

const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}\p{N}]+)*/gu;
const LENGTH_MIN = 3;

/** Every word of a text as it stands, for counting. */
export const wordsOf = (text: string): string[] => text.match(WORD) ?? [];

/**
 * The words that say what a text is about: lower case, plurals folded, without stop words, numbers
 * and very short or very long words. In order, with repetitions.
 */
export const termsOf = (text: string): string[] =>
  wordsOf(text)
    .map((word) => word.toLowerCase().replace(/['’].*$/u, ''))
    .filter((word) => !STOP_WORDS.has(word))
    .map(singular)
    .filter(isTerm);

const isTerm = (word: string): boolean =>
  word.length >= LENGTH_MIN &&
  Buffer.byteLength(word) <= TERM_BYTES_MAX &&
  !/^\p{N}/u.test(word) &&
  !STOP_WORDS.has(word);

const SINGULAR_ALREADY = new Set([
  'species',
  'series',
  'lens',
  'news',
  'athens',
  'means',
  'nats',
  'postgres',
]);

/** English plurals without a dictionary: `tides` → `tide`, `bodies` → `body`, `glass` stays. */
export function singular(word: string): string {
  if (word.length <= LENGTH_MIN || SINGULAR_ALREADY.has(word)) return word;
  if (/(ss|us|is|as|ics)$/.test(word)) return word;
  if (/[^aeiou]ies$/.test(word)) return `${word.slice(0, -3)}y`;
  if (/(sses|shes|ches|xes)$/.test(word)) return word.slice(0, -2);
  return word.endsWith('s') ? word.slice(0, -1) : word;
}
