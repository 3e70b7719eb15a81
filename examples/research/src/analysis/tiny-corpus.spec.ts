import { describe, expect, it } from '@jest/globals';
import { countTerms, topTerms } from './frequencies.js';
import { placeDocument } from './rank.js';
import { summarise, weight } from './summary.js';
import { inverseDocumentFrequency, mergeTables, tableOfDocument } from './table.js';
import { singular, termsOf, wordsOf } from './terms.js';
import { cosine, sharedTerms, weighing } from './vectors.js';

/* Every expected figure here was worked out by hand. */

describe('terms', () => {
  it('are the telling words, in lower case and singular', () => {
    expect(
      termsOf('The Foxes’ rivers weren’t 42 big boats, nor bodies of glass; it is so.'),
    ).toEqual(['fox', 'river', 'big', 'boat', 'body', 'glass']);
  });

  it('leave words alone that only look like a plural', () => {
    expect(['species', 'compass', 'radius', 'axis', 'physics', 'gas'].map(singular)).toEqual([
      'species',
      'compass',
      'radius',
      'axis',
      'physics',
      'gas',
    ]);
  });

  it('are fewer than words, which are all counted', () => {
    expect(wordsOf('It isn’t 3 o’clock.')).toEqual(['It', 'isn’t', '3', 'o’clock']);
  });
});

const FOXES = [
  'Red foxes cross blue rivers.',
  'Foxes drink river water daily.',
  'Red boats sail.',
  'Red foxes and red rivers',
];

describe('term counts', () => {
  it('are those counted by hand', () => {
    const counts = countTerms(FOXES.slice(0, 3).flatMap(termsOf));
    expect(topTerms(counts, 4)).toEqual([
      ['fox', 2],
      ['red', 2],
      ['river', 2],
      ['blue', 1],
    ]);
    expect([...counts.values()].reduce((sum, count) => sum + count)).toBe(13);
  });
});

describe('a summary', () => {
  const counts = countTerms(FOXES.slice(0, 3).flatMap(termsOf));

  it('weighs a sentence by the mean probability of its terms', () => {
    const probability = new Map([...counts].map(([term, count]) => [term, count / 13]));
    const weightOf = (text: string) => weight({ terms: termsOf(text) }, probability);
    // red 2, fox 2, cross 1, blue 1, river 2 of 13, over five terms
    expect(weightOf(FOXES[0] as string)).toBeCloseTo(8 / 65, 12);
    // fox 2, drink 1, river 2, water 1, daily 1 of 13, over five terms
    expect(weightOf(FOXES[1] as string)).toBeCloseTo(7 / 65, 12);
  });

  it('takes the heaviest sentence; fragments and very short sentences are no candidates', () => {
    expect(summarise(FOXES, counts, 1)).toEqual([{ index: 0, text: FOXES[0] }]);
    expect(summarise(FOXES, counts, 3).map((chosen) => chosen.index)).toEqual([0, 1]);
  });

  it('prefers what has not been said yet', () => {
    const sentences = [
      'Tide tide tide moon moon.',
      'Tide tide moon moon tide.',
      'Glacier ice valley rock moraine.',
    ];
    const own = countTerms(sentences.flatMap(termsOf));
    // tide 6, moon 4 of 15: after the first sentence (6/15)² = 0.16 and (4/15)² ≈ 0.071 are left,
    // (3 × 0.16 + 2 × 0.071) ÷ 5 ≈ 0.124 against 1/15 ≈ 0.067 of the third, so the second is next;
    // squared again it weighs (3 × 0.0256 + 2 × 0.0051) ÷ 5 ≈ 0.017.
    expect(summarise(sentences, own, 2).map((chosen) => chosen.index)).toEqual([0, 1]);
    const more = [...sentences, 'Tide moon tide moon tide.'];
    expect(summarise(more, own, 3).map((chosen) => chosen.index)).toEqual([0, 1, 2]);
  });
});

const THREE = [
  {
    words: 5,
    sentences: 1,
    terms: [
      ['river', 2],
      ['fox', 1],
    ],
  },
  {
    words: 4,
    sentences: 2,
    terms: [
      ['boat', 1],
      ['river', 1],
    ],
  },
  { words: 3, sentences: 1, terms: [['star', 3]] },
] as const;

describe('a corpus of three documents', () => {
  const table = mergeTables(THREE.map(tableOfDocument));
  const [first, second, third] = THREE.map(({ terms }) => weighing(table)(terms));

  it('has a table of documents and occurrences by term', () => {
    expect(table).toEqual({
      documents: 3,
      words: 12,
      sentences: 4,
      rows: [
        ['river', 2, 3],
        ['star', 1, 3],
        ['boat', 1, 1],
        ['fox', 1, 1],
      ],
      cut: 0,
    });
  });

  it('gives the same table when it is merged in parts', () => {
    const parts = [THREE.slice(0, 1), THREE.slice(1)].map((some) =>
      mergeTables(some.map(tableOfDocument)),
    );
    expect(mergeTables(parts)).toEqual(table);
  });

  it('cuts the least widespread terms when the table is full, and says how many', () => {
    // ["river",2,3] and ["star",1,3] with their commas take 27 bytes, with brackets 29.
    const small = mergeTables(THREE.map(tableOfDocument), 29);
    expect(small.rows).toEqual([
      ['river', 2, 3],
      ['star', 1, 3],
    ]);
    expect(small.cut).toBe(2);
  });

  it('weighs terms by how few documents have them', () => {
    // ln(4 ÷ 3) + 1 and ln(4 ÷ 2) + 1
    expect(inverseDocumentFrequency(3, 2)).toBeCloseTo(1.28768, 5);
    expect(inverseDocumentFrequency(3, 1)).toBeCloseTo(1.69315, 5);
    // river 2 × 1.28768 = 2.57536, fox 1.69315; length √(2.57536² + 1.69315²) = 3.08209
    expect(first?.get('river')).toBeCloseTo(0.83559, 4);
    expect(first?.get('fox')).toBeCloseTo(0.54935, 4);
  });

  it('finds how similar two documents are, and by what', () => {
    // only river is shared: 0.83559 × 0.60535
    expect(cosine(first!, second!)).toBeCloseTo(0.50583, 4);
    expect(cosine(second!, first!)).toBe(cosine(first!, second!));
    expect(cosine(first!, third!)).toBe(0);
    expect(cosine(first!, first!)).toBeCloseTo(1, 12);
    expect(sharedTerms(first!, second!, 3)).toEqual(['river']);
  });

  it('places a document among the others', () => {
    const vectors = [first!, second!, third!];
    expect(placeDocument(vectors, 0)).toEqual({
      index: 0,
      keyTerms: [
        ['river', 0.8356],
        ['fox', 0.5494],
      ],
      links: [{ to: 1, cosine: 0.5058, terms: ['river'] }],
      // (0.50583 + 0) ÷ 2
      centrality: 0.2529,
    });
    expect(placeDocument(vectors, 2)).toMatchObject({ links: [], centrality: 0 });
  });
});
