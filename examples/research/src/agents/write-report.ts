import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces the file in one step, so that nobody reads half a report. Answers its size in bytes. */
export async function writeReport(path: string, text: string): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const half = `${path}.${process.pid}.tmp`;
  await writeFile(half, text);
  await rename(half, path);
  return Buffer.byteLength(text);
}
