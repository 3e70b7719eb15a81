import type { Agent, AthenaClient } from '@athena/sdk';
import { NonRetryable } from '@athena/sdk';
import { countTerms, topTerms } from '../analysis/frequencies.js';
import { placeDocument } from '../analysis/rank.js';
import { summarise } from '../analysis/summary.js';
import { mergeTables, tableOfDocument } from '../analysis/table.js';
import { termsOf, wordsOf } from '../analysis/terms.js';
import { weighing } from '../analysis/vectors.js';
import { type Root, Unreadable, readDocument } from '../corpus/documents.js';
import { TERMS_PER_DOCUMENT_MAX } from '../limits.js';
import { renderReport } from '../report.js';
import { analyse, extract, measure, merge, rank, report } from '../tasks.js';
import { Results } from './results.js';
import { writeReport } from './write-report.js';

export interface Setting {
  readonly run: string;
  readonly roots: readonly Root[];
  readonly reportPath: string;
}

/** What an agent of a role can do, and how it does it. */
export interface Role {
  readonly capabilities: readonly string[];
  readonly handle: (agent: Agent, client: AthenaClient, setting: Setting) => void;
}

/** Tasks of an earlier, interrupted run may still be waiting; their files are not ours to read. */
function requireRun(input: { readonly run: string }, { run }: Setting): void {
  if (input.run === run) return;
  throw new NonRetryable(`the task belongs to run ${input.run}, which is over`);
}

const reader: Role = {
  capabilities: ['extract', 'analyse'],
  handle: (agent, client, setting) => {
    const results = new Results(client);
    agent.handle(extract, async (input) => {
      requireRun(input, setting);
      const root = setting.roots[input.root];
      if (!root) throw new NonRetryable(`there is no folder number ${input.root}`);
      const document = await readDocument(root.dir, input.path).catch((error: Error) => {
        if (!(error instanceof Unreadable)) throw error;
        throw new NonRetryable(`${input.path}: ${error.message}`, { cause: error });
      });
      const sentences = document.parts[input.part];
      if (!sentences || document.parts.length !== input.parts) {
        throw new NonRetryable(`${input.path} was changed while it was being read`);
      }
      const words = sentences.reduce((sum, sentence) => sum + wordsOf(sentence).length, 0);
      return { title: document.title, sentences, words };
    });
    agent.handle(analyse, async (input, { signal }) => {
      requireRun(input, setting);
      const parts = await results.of(extract, input.extracts, signal);
      const [file] = await results.of(measure, [input.measure], signal);
      const sentences = parts.flatMap((part) => part.sentences);
      const counts = countTerms(sentences.flatMap(termsOf));
      return {
        path: input.path,
        title: parts[0]?.title ?? input.path,
        file: file as NonNullable<typeof file>,
        words: parts.reduce((sum, part) => sum + part.words, 0),
        sentences: sentences.length,
        distinctTerms: counts.size,
        terms: topTerms(counts, TERMS_PER_DOCUMENT_MAX),
        summary: summarise(sentences, counts),
      };
    });
  },
};

const merger: Role = {
  capabilities: ['merge'],
  handle: (agent, client, setting) => {
    const results = new Results(client);
    agent.handle(merge, async (input, { signal }) => {
      requireRun(input, setting);
      const tables =
        input.of === 'merges'
          ? await results.of(merge, input.tasks, signal)
          : (await results.of(analyse, input.tasks, signal)).map(tableOfDocument);
      return mergeTables(tables);
    });
    agent.handle(rank, async (input, { signal, progress }) => {
      requireRun(input, setting);
      const [table] = await results.of(merge, [input.merge], signal);
      const analyses = await results.of(analyse, input.analyses, signal);
      const weigh = weighing(table as NonNullable<typeof table>);
      const vectors = analyses.map(({ terms }) => weigh(terms));
      const places = Array.from({ length: input.to - input.from }, (_, i) => input.from + i);
      progress(50, `${places.length} documents to place among ${vectors.length}`);
      return { documents: places.map((index) => placeDocument(vectors, index)) };
    });
  },
};

const writer: Role = {
  capabilities: ['write'],
  handle: (agent, client, setting) => {
    const results = new Results(client);
    agent.handle(report, async (input, { signal }) => {
      requireRun(input, setting);
      const [table] = await results.of(merge, [input.merge], signal);
      const analyses = await results.of(analyse, input.analyses, signal);
      const ranks = await results.of(rank, input.ranks, signal);
      const placed = ranks.flatMap((one) => one.documents);
      const { skipped, skippedMore } = input;
      const markdown = renderReport({
        table: table as NonNullable<typeof table>,
        analyses,
        placed,
        skipped,
        skippedMore,
      });
      const bytes = await writeReport(setting.reportPath, markdown);
      const links = placed.reduce((sum, document) => sum + document.links.length, 0);
      return { path: setting.reportPath, bytes, documents: analyses.length, links };
    });
  },
};

export const roles = { reader, merger, writer } as const;
export type RoleName = keyof typeof roles;
