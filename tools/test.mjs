// `npm test`: every test that needs no special machine. `node tools/test.mjs <path> [jest options]`:
// jest for a part. Jest's support of ES modules needs a node flag, and a fresh clone needs its
// dependencies and a build first: all of it is seen to here.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const jest = join(root, 'node_modules/jest/bin/jest.js');

const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};

const runJest = (args) => {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  run(process.execPath, [...flags, jest, ...args]);
};

/** Tests of tools, some of which must run before anything is installed, use node's own runner. */
const toolSpecs = () =>
  ['tools/stack', 'tools/tidy', 'tools/chaos'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.spec.mjs'))
      .map((name) => join(folder, name)),
  );

if (!existsSync(jest)) {
  console.log('test: installing dependencies …');
  run('npm', ['ci', '--no-fund']);
}
const args = process.argv.slice(2);
if (args.length > 0) {
  runJest(args);
} else {
  run(process.execPath, ['tools/build.mjs']);
  run(process.execPath, ['--test', '--test-reporter=dot', ...toolSpecs()]);
  runJest([]);
}
