// `node tools/tidy/tidy.mjs`: boundaries and house rules over all tracked and new source files.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { boundaryBreaks } from './boundaries.mjs';
import { undeclared } from './dependencies.mjs';
import { untidiness } from './rules.mjs';

/** Every source file that git knows or would add. */
export function sourceFiles() {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  return execFileSync('git', args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .split('\n')
    .filter((path) => /\.(ts|mjs|js)$/.test(path) && existsSync(path));
}

export function findings() {
  const files = sourceFiles();
  const found = files.flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    return [...boundaryBreaks(path, text), ...untidiness(path, text)];
  });
  return [...found, ...undeclared(files)];
}

if (import.meta.filename === process.argv[1]) {
  const found = findings();
  for (const finding of found) console.error(finding);
  console.log(found.length === 0 ? 'tidy: nothing found' : `tidy: ${found.length} findings`);
  process.exit(found.length === 0 ? 0 : 1);
}
