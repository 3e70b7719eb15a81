import type { AthenaClient, SubmitOptions, TaskHandle } from '@athena/sdk';
import { join } from 'node:path';
import type { z } from 'zod';
import type { Root, Skipped } from './corpus/documents.js';
import type { Survey } from './corpus/survey.js';
import {
  MERGE_FAN_IN,
  RANK_DOCUMENTS,
  SKIPPED_NAMED_MAX,
  SKIPPED_PATH_LENGTH_MAX,
} from './limits.js';
import { analyse, extract, measure, merge, rank, report } from './tasks.js';

export interface Submitted {
  /** Every task of the run, by id, with its type. */
  readonly tasks: ReadonlyMap<string, string>;
  readonly report: TaskHandle<typeof report.output>;
}

/**
 * Submits the whole research at once; dependencies bring it into order:
 * extract (per part), measure (per document) → analyse (per document) → merge (a tree) →
 * rank (per 20 documents) → report.
 * `onSubmitted` is told of tasks as they come to exist.
 */
export async function submitResearch(
  client: AthenaClient,
  { documents, skipped }: Survey,
  options: {
    run: string;
    roots: readonly Root[];
    signal: AbortSignal;
    onSubmitted: (taskIds: readonly string[]) => void;
  },
): Promise<Submitted> {
  const { run, roots, signal, onSubmitted } = options;
  const tasks = new Map<string, string>();
  const note = (type: string, handles: readonly { taskId: string }[]): string[] => {
    const taskIds = handles.map((handle) => handle.taskId);
    for (const taskId of taskIds) tasks.set(taskId, type);
    onSubmitted(taskIds);
    return taskIds;
  };
  const after = (dependencies: readonly string[]): SubmitOptions => ({
    dependencies,
    batchId: run,
  });

  const pieces = documents.flatMap(({ root, path, parts }) =>
    Array.from({ length: parts }, (_, part) => ({ run, root, path, part, parts })),
  );
  const extracts = note(
    extract.name,
    await client.submitMany(
      extract,
      pieces.map((input) => ({ input, options: after([]) })),
      { signal },
    ),
  );

  const measures = note(
    measure.name,
    await client.submitMany(
      measure,
      documents.map(({ root, path }) => ({
        input: { run, file: join((roots[root] as Root).dir, path) },
        options: after([]),
      })),
      { signal },
    ),
  );

  const own = byDocument(documents, extracts);
  const analyses = note(
    analyse.name,
    await client.submitMany(
      analyse,
      documents.map(({ path }, index) => {
        const mine = own[index] as string[];
        const size = measures[index] as string;
        const input = { run, path, measure: size, extracts: mine };
        return { input, options: after([size, ...mine]) };
      }),
      { signal },
    ),
  );

  const mergeLevel = async (of: 'analyses' | 'merges', below: readonly string[]) =>
    note(
      merge.name,
      await client.submitMany(
        merge,
        slices(below, MERGE_FAN_IN).map((some) => ({
          input: { run, of, tasks: some },
          options: after(some),
        })),
        { signal },
      ),
    );
  let merges = await mergeLevel('analyses', analyses);
  while (merges.length > 1) merges = await mergeLevel('merges', merges);
  const root = merges[0] as string;

  const ranks = note(
    rank.name,
    await client.submitMany(
      rank,
      slices(analyses, RANK_DOCUMENTS).map((some, number) => {
        const from = number * RANK_DOCUMENTS;
        const input = { run, merge: root, analyses, from, to: from + some.length };
        return { input, options: after([root]) };
      }),
      { signal },
    ),
  );

  const last = await client.submit(
    report,
    { run, merge: root, ranks, analyses, ...named(skipped) },
    { ...after(ranks), signal },
  );
  note(report.name, [last]);
  return { tasks, report: last };
}

/** The extract tasks of each document, which were submitted document by document. */
function byDocument(documents: Survey['documents'], extracts: readonly string[]): string[][] {
  let from = 0;
  return documents.map(({ parts }) => extracts.slice(from, (from += parts)));
}

export function slices<T>(all: readonly T[], size: number): T[][] {
  const count = Math.ceil(all.length / size);
  return Array.from({ length: count }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** The skipped files that fit into a task's input, and how many more there are. */
function named(
  skipped: readonly Skipped[],
): Pick<z.input<typeof report.input>, 'skipped' | 'skippedMore'> {
  const shown = skipped.slice(0, SKIPPED_NAMED_MAX).map(({ path, reason }) => ({
    path: path.slice(-SKIPPED_PATH_LENGTH_MAX),
    reason: reason.slice(0, SKIPPED_PATH_LENGTH_MAX),
  }));
  return { skipped: shown, skippedMore: skipped.length - shown.length };
}
