import { DOCUMENTS_MAX } from '../limits.js';
import {
  type FilePlace,
  type Root,
  type Skipped,
  Unreadable,
  filesOf,
  readDocument,
} from './documents.js';

export interface Surveyed extends FilePlace {
  readonly title: string;
  /** How many extract tasks the document takes. */
  readonly parts: number;
}

export interface Survey {
  readonly documents: readonly Surveyed[];
  readonly skipped: readonly Skipped[];
}

/** Reads through the roots once, to know what there is to do. @throws Error if there is nothing */
export async function survey(roots: readonly Root[]): Promise<Survey> {
  const documents: Surveyed[] = [];
  const skipped: Skipped[] = [];
  for (const place of await filesOf(roots)) {
    const { path } = place;
    try {
      if (documents.length >= DOCUMENTS_MAX) {
        throw new Unreadable(`beyond the first ${DOCUMENTS_MAX} documents`);
      }
      const { title, parts } = await readDocument((roots[place.root] as Root).dir, path);
      documents.push({ ...place, title, parts: parts.length });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      skipped.push({ path, reason: error.message });
    }
  }
  if (documents.length === 0) throw new Error(nothingToRead(roots, skipped));
  return { documents, skipped };
}

function nothingToRead(roots: readonly Root[], skipped: readonly Skipped[]): string {
  const where = roots.map(({ dir }) => dir).join(', ');
  if (skipped.length === 0) return `there is no document in ${where}: the folder is empty`;
  const [first] = skipped;
  return (
    `there is no document to read in ${where}: ${skipped.length} files were skipped, the first ` +
    `is ${first?.path} (${first?.reason})`
  );
}
