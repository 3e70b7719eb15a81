import { defineTask } from '@athena/sdk';
import { z } from 'zod';

/*
 * The six kinds of task of a research, with what goes in and comes out. Tasks hand data on by
 * their results, and name each other by id; `run` keeps the tasks of two researches apart.
 */
const count = z.int().min(0);
const run = z.string();
const taskId = z.string();
const listOf = <T extends z.ZodType>(item: T) => z.array(item).readonly();
const startToCloseMs = 120_000;

/** One part of a document, in sentences. */
export const extract = defineTask({
  name: 'research.extract',
  requirements: ['extract'],
  defaults: { startToCloseMs },
  input: z.object({ run, root: count, path: z.string(), part: count, parts: count }),
  output: z.object({ title: z.string(), sentences: listOf(z.string()), words: count }),
});

/** One file as it lies on disk, by its absolute path. */
export const measure = defineTask({
  name: 'research.measure',
  requirements: ['measure'],
  defaults: { startToCloseMs },
  input: z.object({ run, file: z.string() }),
  output: z.object({ lines: count, bytes: count, crc: count }),
});

const termCount = z.tuple([z.string(), z.number()]).readonly();

/** One document: what it is about. */
export const analyse = defineTask({
  name: 'research.analyse',
  requirements: ['analyse'],
  defaults: { startToCloseMs },
  input: z.object({ run, path: z.string(), measure: taskId, extracts: z.array(taskId) }),
  output: z.object({
    path: z.string(),
    title: z.string(),
    file: measure.output,
    words: count,
    sentences: count,
    distinctTerms: count,
    terms: listOf(termCount),
    summary: listOf(z.object({ index: count, text: z.string() })),
  }),
});

const corpusTable = z.object({
  documents: count,
  words: count,
  sentences: count,
  rows: listOf(z.tuple([z.string(), count, count]).readonly()),
  cut: count,
});

/** Several documents, or several merges, as one table of terms. */
export const merge = defineTask({
  name: 'research.merge',
  requirements: ['merge'],
  defaults: { startToCloseMs },
  input: z.object({ run, of: z.enum(['analyses', 'merges']), tasks: z.array(taskId).min(1) }),
  output: corpusTable,
});

/** Some documents (from, to: excluded) among all. */
export const rank = defineTask({
  name: 'research.rank',
  requirements: ['merge'],
  defaults: { startToCloseMs },
  input: z.object({ run, merge: taskId, analyses: z.array(taskId), from: count, to: count }),
  output: z.object({
    documents: listOf(
      z.object({
        index: count,
        keyTerms: listOf(termCount),
        links: listOf(z.object({ to: count, cosine: z.number(), terms: listOf(z.string()) })),
        centrality: z.number(),
      }),
    ),
  }),
});

/** Everything, as Markdown. */
export const report = defineTask({
  name: 'research.report',
  requirements: ['write'],
  defaults: { startToCloseMs },
  input: z.object({
    run,
    merge: taskId,
    ranks: z.array(taskId),
    analyses: z.array(taskId),
    skipped: z.array(z.object({ path: z.string(), reason: z.string() })),
    skippedMore: count,
  }),
  output: z.object({ path: z.string(), bytes: count, documents: count, links: count }),
});
