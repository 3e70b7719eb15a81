import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '..', '..');
const STOP_MS = 30_000;

/** Starts a stack on a temporary folder, hands over its connection, and ends it. */
export async function withStack(use, { separate = false } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'athena-bench-'));
  const began = Date.now();
  const args = ['tools/stack/start.mjs', '--no-example', '--data-dir', folder];
  if (separate) args.push('--separate');
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await ready(child);
    console.error(`bench: the stack was ready after ${Date.now() - began} ms`);
    const connection = JSON.parse(await readFile(join(folder, 'connection.json'), 'utf8'));
    return await use({ ...connection, rootPid: child.pid });
  } finally {
    await stop(child);
    await rm(folder, { recursive: true, force: true });
  }
}

function ready(child) {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      if (line.startsWith('athena: ready ')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`the stack ended with ${code}`)));
  });
}

async function stop(child) {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}
