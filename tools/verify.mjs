// `npm run verify`: everything about the code that needs no servers. Each check runs, so that one
// call shows all that is wrong.
import { spawnSync } from 'node:child_process';

const checks = [
  ['format', 'npx', ['prettier', '--check', '--log-level', 'warn', '.']],
  ['lint', 'npx', ['eslint', '--max-warnings', '0', '.']],
  ['types', 'npx', ['tsc', '-p', 'tsconfig.json']],
  ['boundaries and tidiness', process.execPath, ['tools/tidy/tidy.mjs']],
  ['generated files', process.execPath, ['tools/generate.mjs', '--check']],
];

const failed = [];
for (const [name, command, args] of checks) {
  const began = Date.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`verify: ${name} ${status === 0 ? 'ok' : 'FAILED'} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`verify: failed: ${failed.join(', ')}`);
  process.exit(1);
}
