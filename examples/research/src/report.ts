import { type Placed } from './analysis/rank.js';
import type { CorpusTable } from './analysis/table.js';
import type { Skipped } from './corpus/documents.js';

export interface Analysed {
  readonly path: string;
  readonly title: string;
  /** The document as it lies on disk. */
  readonly file: { readonly lines: number; readonly bytes: number; readonly crc: number };
  readonly words: number;
  readonly sentences: number;
  readonly distinctTerms: number;
  readonly summary: readonly { readonly text: string }[];
}

export interface Findings {
  readonly table: CorpusTable;
  /** In the order of the documents' indexes. */
  readonly analyses: readonly Analysed[];
  readonly placed: readonly Placed[];
  readonly skipped: readonly Skipped[];
  /** Skipped files beyond those that are named. */
  readonly skippedMore: number;
}

const CORPUS_TERMS = 20;
const STRONGEST_LINKS = 15;

/** The report as Markdown. Equal findings give equal reports: no dates, no ids. */
export function renderReport(findings: Findings): string {
  const sections = [
    ['# Research report', introduction(findings)],
    ['## Statistics', statistics(findings)],
    ['## Key terms', keyTerms(findings)],
    ['## Documents by what they have in common with the rest', ranking(findings)],
    ['## Strongest links', strongestLinks(findings)],
    ['## Documents', findings.analyses.map((_, index) => document(findings, index)).join('\n\n')],
    ['## Skipped files', skippedFiles(findings)],
    ['## How the figures were made', METHOD],
  ];
  return `${sections.map(([heading, body]) => `${heading}\n\n${body}`).join('\n\n')}\n`;
}

const number = (value: number): string => value.toLocaleString('en-US');

/** Text of a document inside Markdown: no markup of its own, and no table cells opened by it. */
const quoted = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, '\\$&');

/** A path as code: file names may hold anything, even lines that would become headings. */
const code = (path: string): string => `\`${path.replace(/`/g, "'").replace(/\p{Cc}/gu, ' ')}\``;

const link = (findings: Findings, index: number): string =>
  `[${quoted(findings.analyses[index]?.title ?? '')}](#document-${index + 1})`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function introduction({ table: { documents, words }, placed }: Findings): string {
  const links = pairs({ placed }).length;
  return (
    `${number(documents)} documents with ${number(words)} words were read, weighed against each ` +
    `other and summarised. ${number(links)} pairs of documents are linked by what they say.`
  );
}

function statistics({ table: corpus, analyses, skipped, skippedMore }: Findings): string {
  const sum = (of: 'lines' | 'bytes'): number =>
    analyses.reduce((total, { file }) => total + file[of], 0);
  const lengths = analyses.map((one) => one.words).sort((a, b) => a - b);
  return table(
    ['figure', 'value'],
    [
      ['documents', number(corpus.documents)],
      ['bytes', number(sum('bytes'))],
      ['lines', number(sum('lines'))],
      ['words', number(corpus.words)],
      ['sentences', number(corpus.sentences)],
      ['words per sentence', (corpus.words / Math.max(1, corpus.sentences)).toFixed(1)],
      ['shortest document (words)', number(lengths[0] ?? 0)],
      ['longest document (words)', number(lengths.at(-1) ?? 0)],
      ['terms in the table', number(corpus.rows.length)],
      ['rows cut while tables were merged', number(corpus.cut)],
      ['files skipped', number(skipped.length + skippedMore)],
    ],
  );
}

function keyTerms({ table: { rows, documents } }: Findings): string {
  const shown = [...rows].sort(byOccurrences).slice(0, CORPUS_TERMS);
  return table(
    ['term', 'occurrences', 'documents'],
    shown.map(([term, having, count]) => [
      quoted(term),
      number(count),
      `${number(having)} of ${number(documents)}`,
    ]),
  );
}

const byOccurrences = (a: CorpusTable['rows'][number], b: CorpusTable['rows'][number]): number =>
  b[2] - a[2] || b[1] - a[1] || (a[0] < b[0] ? -1 : 1);

function ranking(findings: Findings): string {
  const order = [...findings.placed].sort(
    (a, b) => b.centrality - a.centrality || a.index - b.index,
  );
  return table(
    ['', 'document', 'mean similarity', 'words'],
    order.map(({ index, centrality }, place) => [
      String(place + 1),
      link(findings, index),
      centrality.toFixed(4),
      number(findings.analyses[index]?.words ?? 0),
    ]),
  );
}

interface Pair {
  readonly from: number;
  readonly to: number;
  readonly cosine: number;
  readonly terms: readonly string[];
}

/** Links without their direction: two documents that name each other count once. */
function pairs({ placed }: Pick<Findings, 'placed'>): Pair[] {
  const found = new Map<string, Pair>();
  for (const { index, links } of placed) {
    for (const { to, cosine, terms } of links) {
      const [a, b] = [Math.min(index, to), Math.max(index, to)];
      found.set(`${a}-${b}`, { from: a, to: b, cosine, terms });
    }
  }
  return [...found.values()].sort((x, y) => y.cosine - x.cosine || x.from - y.from || x.to - y.to);
}

function strongestLinks(findings: Findings): string {
  const shown = pairs(findings).slice(0, STRONGEST_LINKS);
  if (shown.length === 0) return 'No two documents have enough in common.';
  return table(
    ['documents', 'similarity', 'by'],
    shown.map(({ from, to, cosine, terms }) => [
      `${link(findings, from)} – ${link(findings, to)}`,
      cosine.toFixed(4),
      terms.map(quoted).join(', '),
    ]),
  );
}

function document(findings: Findings, index: number): string {
  const { path, title, file, words, sentences, distinctTerms, summary } = findings.analyses[
    index
  ] as Analysed;
  const placed = findings.placed.find((one) => one.index === index);
  const lines = [
    `<a id="document-${index + 1}"></a>`,
    '',
    `### ${quoted(title)}`,
    '',
    `${code(path)} · ${number(words)} words · ${number(sentences)} sentences · ` +
      `${number(distinctTerms)} distinct terms · ${number(file.lines)} lines · ` +
      `${number(file.bytes)} bytes · CRC ${file.crc}`,
    '',
    ...summary
      .map(({ text }) => `> ${quoted(text)}`)
      .flatMap((line) => [line, '>'])
      .slice(0, -1),
    '',
    `Key terms: ${placed?.keyTerms.map(([term, weight]) => `${quoted(term)} (${weight.toFixed(2)})`).join(', ') || 'none'}`,
  ];
  for (const { to, cosine, terms } of placed?.links ?? []) {
    if (to === placed?.links[0]?.to) lines.push('', 'Linked with:', '');
    lines.push(`- ${link(findings, to)} (${cosine.toFixed(4)}): ${terms.map(quoted).join(', ')}`);
  }
  return lines.join('\n');
}

function skippedFiles({ skipped, skippedMore }: Findings): string {
  if (skipped.length === 0) return 'None.';
  const lines = skipped.map(({ path, reason }) => `- ${code(path)}: ${reason}`);
  return [...lines, ...(skippedMore ? [`- and ${number(skippedMore)} more`] : [])].join('\n');
}

const METHOD = [
  'Every figure is computed from the documents, and the same documents give the same report.',
  '',
  '- *Lines*, *bytes* and *CRC* are those of the file, as `wc -l` and `cksum` tell them.',
  '- A *term* is a word in lower case with its plural folded, without stop words, numbers and',
  '  words of fewer than three letters. A document counts with its 200 most frequent terms.',
  '- A term’s *weight* in a document is its count × (ln((1 + N) ÷ (1 + n)) + 1), with n of N',
  '  documents having it; terms that the merged table had no room for count as in one document.',
  '  Weights are scaled so that a document’s vector has length 1.',
  '- The *similarity* of two documents is the cosine of their vectors, from 0 (nothing in common)',
  '  to 1. From 0.05 on it is called a link; each document names its four strongest.',
  '- *Summaries* are sentences of the document itself, chosen by SumBasic (Nenkova and',
  '  Vanderwende, 2005): the sentence whose terms are most probable, then the next one after what',
  '  has been said was made less probable.',
].join('\n');
