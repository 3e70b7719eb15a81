// Compiles TypeScript to dist/ with swc: `node tools/build.mjs [project folder ...]`; without
// arguments every project is built. Types are checked by `npm run verify`, not here.
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';
import { swc } from './swc.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');

const isSource = (path) => /\.ts$/.test(path) && !/(\.spec|\.scenario|\.d)\.ts$/.test(path);

async function buildProject(project) {
  const source = join(root, project, 'src');
  const target = join(root, project, 'dist');
  const files = await readdir(source, { recursive: true }).catch(() => []);
  const built = new Set();
  for (const file of files.filter(isSource)) {
    const from = join(source, file);
    const to = join(target, file.replace(/\.ts$/, '.js'));
    const { code, map } = await transform(await readFile(from, 'utf8'), {
      ...swc,
      sourceMaps: true,
      filename: from,
      sourceFileName: relative(dirname(to), from),
    });
    await put(to, `${code}//# sourceMappingURL=${basename(to)}.map\n`);
    await put(`${to}.map`, map ?? '');
    built.add(to).add(`${to}.map`);
  }
  for (const file of await readdir(target, { recursive: true }).catch(() => [])) {
    const path = join(target, file);
    if (/\.(js|map)$/.test(file) && !built.has(path)) await rm(path);
  }
}

/** Replaces a file in one step, and only if it changed: processes may be running from it. */
async function put(path, text) {
  if ((await readFile(path, 'utf8').catch(() => null)) === text) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, text);
  await rename(`${path}.${process.pid}`, path);
}

async function allProjects() {
  const found = [];
  for (const folder of ['libs', 'apps', 'examples', 'tools']) {
    const names = await readdir(join(root, folder)).catch(() => []);
    for (const name of names) {
      const project = `${folder}/${name}`;
      if (await readFile(join(root, project, 'project.json')).catch(() => null))
        found.push(project);
    }
  }
  return found;
}

const asked = process.argv.slice(2).map((path) => relative(root, resolve(path)));
const projects = asked.length ? asked : await allProjects();
for (const project of projects) await buildProject(project);
console.log(`built ${projects.length === 1 ? projects[0] : `${projects.length} projects`}`);
