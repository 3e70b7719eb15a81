// `npm start`: see `npm start -- --help` and README.md. Only what any Node can run is used here;
// the rest is loaded once the version is known to do.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** @returns {Promise<number>} The exit status. */
async function start() {
  const { nodeVersionProblem } = await import('./node-version.mjs');
  const { engines } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8'));
  const problem = nodeVersionProblem(process.versions.node, engines.node);
  if (problem !== null) {
    process.stderr.write(`athena: ${problem}\n`);
    return 1;
  }
  const { main } = await import('./main.mjs');
  return main({ args: process.argv.slice(2), root });
}

// Whoever read our lines may go; the stack goes on.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exit(await start());
