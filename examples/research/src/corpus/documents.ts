import { type Dirent } from 'node:fs';
import { lstat, readFile, readdir, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type Format, type PlainText, formatOf, plainText } from '../analysis/plain-text.js';
import { partsOf, sentencesOf } from '../analysis/sentences.js';
import { FILES_SEEN_MAX, FILE_BYTES_MAX } from '../limits.js';

/** A folder that documents come from. Without `only`, all of it. */
export interface Root {
  readonly dir: string;
  /**
   * Files and folders in `dir` to read, as far as they exist, and of them only Markdown and plain
   * text: a selection of prose, from which nothing is missing when code beside it is left out.
   */
  readonly only?: readonly string[];
}

/** A file inside a root, with `/` between folders. */
export interface FilePlace {
  readonly root: number;
  readonly path: string;
}

export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

export interface Document extends PlainText {
  /** The document's sentences in parts that fit one task each. */
  readonly parts: readonly (readonly string[])[];
}

/** A file that is no document, with the reason for people. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** Finds all files of the roots, sorted by path. @throws Error if a root can't be read */
export async function filesOf(roots: readonly Root[]): Promise<FilePlace[]> {
  const found: FilePlace[] = [];
  for (const [root, { dir, only }] of roots.entries()) {
    if (only) found.push(...(await selected(root, dir, only)));
    else await walk(root, dir, dir, found);
  }
  return found.sort((a, b) => a.root - b.root || (a.path < b.path ? -1 : 1));
}

async function selected(root: number, dir: string, only: readonly string[]): Promise<FilePlace[]> {
  const found: FilePlace[] = [];
  for (const name of only) {
    const path = join(dir, name);
    const entry = await lstat(path).catch(() => undefined);
    if (entry?.isDirectory()) await walk(root, dir, path, found);
    else if (entry?.isFile()) found.push({ root, path: name });
  }
  return found.filter(({ path }) => PROSE.has(formatOf(path)));
}

const PROSE: ReadonlySet<Format | undefined> = new Set<Format>(['.md', '.txt']);

/** Hidden files and folders are left out; links are not followed. */
async function walk(root: number, dir: string, folder: string, found: FilePlace[]): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: Error) => {
    throw new Error(`the folder ${folder} can’t be read: ${error.message}`, { cause: error });
  });
  for (const entry of entries.filter(isVisible)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(root, dir, path, found);
    else if (entry.isFile()) found.push({ root, path: relative(dir, path).split(sep).join('/') });
    if (found.length > FILES_SEEN_MAX) {
      throw new Error(`${dir} holds more than ${FILES_SEEN_MAX} files; name a smaller folder`);
    }
  }
}

const isVisible = (entry: Dirent): boolean =>
  !entry.name.startsWith('.') && entry.name !== 'node_modules';

/** @throws Unreadable with the reason why the file is no document */
export async function readDocument(dir: string, path: string): Promise<Document> {
  const format = formatOf(path);
  if (!format) throw new Unreadable('not a text format that this example reads');
  const text = await readText(await inside(dir, path));
  const plain = parsed(text, format);
  const parts = partsOf(plain.blocks.flatMap(sentencesOf));
  if (parts.length === 0) throw new Unreadable('empty');
  return { ...plain, parts };
}

/** The file's place on disk. Paths come with tasks, so none may lead out of its root. */
async function inside(dir: string, path: string): Promise<string> {
  try {
    const top = await realpath(dir);
    const file = await realpath(join(top, path));
    if (file.startsWith(top + sep)) return file;
  } catch (error) {
    throw new Unreadable(`can’t be read: ${(error as Error).message}`);
  }
  throw new Unreadable('outside of the folder');
}

async function readText(file: string): Promise<string> {
  const entry = await lstat(file);
  if (entry.size > FILE_BYTES_MAX) throw new Unreadable(`larger than ${FILE_BYTES_MAX} bytes`);
  const bytes = await readFile(file).catch((error: Error) => {
    throw new Unreadable(`can’t be read: ${error.message}`);
  });
  if (bytes.includes(0)) throw new Unreadable('binary');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Unreadable('not UTF-8 text');
  }
}

function parsed(text: string, format: Format): PlainText {
  try {
    return plainText(text, format);
  } catch (error) {
    throw new Unreadable(`not valid ${format.slice(1)}: ${(error as Error).message}`);
  }
}
