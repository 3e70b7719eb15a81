import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FILE_BYTES_MAX } from '../limits.js';
import { readDocument } from './documents.js';
import { survey } from './survey.js';

describe('a survey of a folder', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'athena-research-spec-'));
  });
  afterEach(() => rm(dir, { recursive: true }));
  const put = async (path: string, content: string | Buffer): Promise<void> => {
    await mkdir(join(dir, path, '..'), { recursive: true });
    await writeFile(join(dir, path), content);
  };

  it('finds documents at every depth and names why it leaves others out', async () => {
    await put('b.md', '# Bees\n\nBees fly.');
    await put('a/deep/tides.txt', 'The tide turns.');
    await put('page.html', '<p>One.</p>');
    await put('.hidden.md', 'Hidden.');
    await put('node_modules/x/readme.md', 'Not ours.');
    await put('bad.json', '{');
    await put('binary.txt', Buffer.from([65, 0, 66]));
    await put('empty.md', ' \n');
    await put('huge.txt', 'x'.repeat(FILE_BYTES_MAX + 1));
    await put('latin.txt', Buffer.from('Müde', 'latin1'));
    await put('photo.png', 'x');

    const { documents, skipped } = await survey([{ dir }]);

    expect(documents.map(({ path, title, parts }) => [path, title, parts])).toEqual([
      ['a/deep/tides.txt', 'The tide turns.', 1],
      ['b.md', 'Bees', 1],
      ['page.html', 'One.', 1],
    ]);
    expect(skipped.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
      expect.stringMatching(/^bad\.json: not valid json/),
      'binary.txt: binary',
      'empty.md: empty',
      `huge.txt: larger than ${FILE_BYTES_MAX} bytes`,
      'latin.txt: not UTF-8 text',
      'photo.png: not a text format that this example reads',
    ]);
  });

  it('of a selection reads the prose in it and passes the rest over', async () => {
    await put('docs/guide.md', 'A guide.');
    await put('docs/code.ts', 'const a = 1;');
    await put('other.md', 'Not asked for.');
    const found = await survey([{ dir, only: ['docs', 'missing.md'] }]);
    expect(found.documents.map(({ path }) => path)).toEqual(['docs/guide.md']);
    expect(found.skipped).toEqual([]);
  });

  it('of nothing to read says what there was', async () => {
    await expect(survey([{ dir }])).rejects.toThrow(`no document in ${dir}: the folder is empty`);
    await put('photo.png', 'x');
    await expect(survey([{ dir }])).rejects.toThrow('1 files were skipped, the first is photo.png');
    const missing = join(dir, 'missing');
    await expect(survey([{ dir: missing }])).rejects.toThrow(`the folder ${missing} can’t be read`);
  });

  it('never leaves the folder', async () => {
    await put('inside/a.md', 'A.');
    await put('outside.md', 'B.');
    await symlink(join(dir, 'outside.md'), join(dir, 'inside/link.md'));
    const root = join(dir, 'inside');
    for (const path of ['../outside.md', 'link.md']) {
      await expect(readDocument(root, path)).rejects.toThrow('outside of the folder');
    }
    const found = await survey([{ dir: root }]);
    expect(found.documents.map(({ path }) => path)).toEqual(['a.md']);
  });
});
