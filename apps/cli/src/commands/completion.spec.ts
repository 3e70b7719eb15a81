import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { saying } from '../scenarios/world.scenario.js';

it.each([
  ['athena ta', 'task'],
  ['athena task cr', 'create create-batch'],
  ['athena task create --pr', '--priority'],
  ['athena task create --priority ', 'low medium high'],
  ['athena status --j', '--json'],
  ['athena task get nothing-to-say ', ''],
])('bash completes “%s” with “%s”', async (line, completions) => {
  const [, script] = await saying('completion', 'bash');
  const words = line.split(' ').map((word) => `'${word}'`);
  const asked = `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _athena`;
  const text = `${script}\n${asked}; echo "\${COMPREPLY[*]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', text], { encoding: 'utf8' });
  expect([stdout.trim(), stderr]).toEqual([completions, '']);
});
