import { PART_BYTES_MAX, SENTENCE_LENGTH_MAX } from '../limits.js';

/** After these a full stop ends no sentence. */
const ABBREVIATIONS =
  /(?:^|[\s(])(?:Dr|Mr|Mrs|Ms|St|Prof|No|Nos|Fig|vs|etc|ca|cf|approx|e\.g|i\.e|[A-Z])\.$/;

/** A mark that may end a sentence, and what may follow it. */
const BOUNDARY = /(?<=[.!?…]["”’')\]]?)\s+(?=["“‘'([]?[\p{Lu}\p{N}])|(?<=[。！？])/u;

/** The sentences of a block, none longer than SENTENCE_LENGTH_MAX. */
export function sentencesOf(block: string): string[] {
  const sentences: string[] = [];
  for (const piece of block.split(BOUNDARY)) {
    const last = sentences.at(-1);
    if (last !== undefined && ABBREVIATIONS.test(last)) sentences.splice(-1, 1, `${last} ${piece}`);
    else sentences.push(piece);
  }
  return sentences.flatMap(cutLong).filter((sentence) => sentence !== '');
}

function cutLong(sentence: string): string[] {
  const pieces: string[] = [];
  let rest = sentence.trim();
  while (rest.length > SENTENCE_LENGTH_MAX) {
    const space = rest.lastIndexOf(' ', SENTENCE_LENGTH_MAX);
    const end = space > 0 ? space : SENTENCE_LENGTH_MAX;
    pieces.push(rest.slice(0, end));
    rest = rest.slice(end).trim();
  }
  return [...pieces, rest];
}

/** Sentences in groups of at most PART_BYTES_MAX, in order: what one extract task takes. */
export function partsOf(sentences: readonly string[]): string[][] {
  const parts: string[][] = [];
  let bytes = Infinity;
  for (const sentence of sentences) {
    const size = Buffer.byteLength(sentence);
    if (bytes + size > PART_BYTES_MAX) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(sentence);
    bytes += size;
  }
  return parts;
}
