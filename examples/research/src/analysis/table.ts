import { TABLE_BYTES_MAX } from '../limits.js';
import type { TermCount } from './frequencies.js';

/** A term, the documents that it occurs in, and how often it occurs in all of them. */
export type TableRow = readonly [term: string, documents: number, count: number];

/** What is known of a corpus, or of a part of it. Tables of parts add up. */
export interface CorpusTable {
  readonly documents: number;
  readonly words: number;
  readonly sentences: number;
  /** Most widespread first. */
  readonly rows: readonly TableRow[];
  /** Rows that were left out because the table was full; their terms count as in 1 document. */
  readonly cut: number;
}

export interface DocumentCounts {
  readonly words: number;
  readonly sentences: number;
  readonly terms: readonly TermCount[];
}

export const tableOfDocument = ({ words, sentences, terms }: DocumentCounts): CorpusTable => ({
  documents: 1,
  words,
  sentences,
  rows: terms.map(([term, count]) => [term, 1, count]),
  cut: 0,
});

/** Adds tables up and cuts what doesn't fit, the least widespread terms first. */
export function mergeTables(
  tables: readonly CorpusTable[],
  bytesMax: number = TABLE_BYTES_MAX,
): CorpusTable {
  const sums = new Map<string, { documents: number; count: number }>();
  for (const [term, documents, count] of tables.flatMap((table) => table.rows)) {
    const sum = sums.get(term) ?? { documents: 0, count: 0 };
    sums.set(term, { documents: sum.documents + documents, count: sum.count + count });
  }
  const rows = [...sums]
    .map(([term, sum]): TableRow => [term, sum.documents, sum.count])
    .sort(byReach);
  const kept = fitting(rows, bytesMax);
  const total = (pick: (table: CorpusTable) => number): number =>
    tables.reduce((sum, table) => sum + pick(table), 0);
  return {
    documents: total((table) => table.documents),
    words: total((table) => table.words),
    sentences: total((table) => table.sentences),
    rows: kept,
    cut: total((table) => table.cut) + rows.length - kept.length,
  };
}

const byReach = (a: TableRow, b: TableRow): number =>
  b[1] - a[1] || b[2] - a[2] || (a[0] < b[0] ? -1 : 1);

function fitting(rows: readonly TableRow[], bytesMax: number): TableRow[] {
  const kept: TableRow[] = [];
  let bytes = 2;
  for (const row of rows) {
    bytes += Buffer.byteLength(JSON.stringify(row)) + 1;
    if (bytes > bytesMax) break;
    kept.push(row);
  }
  return kept;
}

/**
 * How telling a term is: ln((1 + N) ÷ (1 + n)) + 1, with n of N documents having it (the smooth
 * form that scikit-learn uses).
 */
export const inverseDocumentFrequency = (documents: number, having: number): number =>
  Math.log((1 + documents) / (1 + having)) + 1;
