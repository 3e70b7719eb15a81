import { describe, expect, it } from '@jest/globals';
import { PART_BYTES_MAX, SENTENCE_LENGTH_MAX } from '../limits.js';
import { partsOf, sentencesOf } from './sentences.js';

describe('sentences', () => {
  it('end at a mark that is followed by a capital or a number', () => {
    expect(
      sentencesOf('The sea rose. It fell! Why? “Because.” 3 boats sank… Then e.g. this.'),
    ).toEqual([
      'The sea rose.',
      'It fell!',
      'Why?',
      '“Because.”',
      '3 boats sank…',
      'Then e.g. this.',
    ]);
  });

  it('do not end after an abbreviation or an initial', () => {
    expect(sentencesOf('Dr. Who met J. Smith at St. Ives. They left.')).toEqual([
      'Dr. Who met J. Smith at St. Ives.',
      'They left.',
    ]);
  });

  it('are cut at a space when they never end', () => {
    const pieces = sentencesOf('word '.repeat(SENTENCE_LENGTH_MAX));
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(
      SENTENCE_LENGTH_MAX,
    );
    expect(pieces.join(' ').split(' ')).toHaveLength(SENTENCE_LENGTH_MAX);
  });
});

describe('the parts of a document', () => {
  it('hold all sentences in order, each at most so many bytes', () => {
    const sentences = Array.from({ length: 100 }, (_, i) => `${i} ${'ä'.repeat(200)}`);
    const parts = partsOf(sentences);
    expect(parts.flat()).toEqual(sentences);
    expect(parts).toHaveLength(4);
    for (const part of parts) {
      const bytes = part.reduce((sum, sentence) => sum + Buffer.byteLength(sentence), 0);
      expect(bytes).toBeLessThanOrEqual(PART_BYTES_MAX);
    }
  });

  it('are none for an empty document', () => {
    expect(partsOf([])).toEqual([]);
  });
});
