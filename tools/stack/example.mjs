import { access, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launch } from './child.mjs';
import { StackError } from './errors.mjs';
import { connectionPath } from './connection.mjs';

const PROGRAM = 'examples/research/dist/main.js';
const MARKER = 'example-completed';
const RUN_MS_MAX = 15 * 60_000;
const STOP_MS_MAX = 10_000;
const STDOUT_CHARACTERS_MAX = 1_000_000;

/** @typedef {{ report: string, tasks: number, agents: number, ms: number }} ExampleResult */

/** @param {string} dataDir @returns {Promise<boolean>} */
export async function exampleHasCompleted(dataDir) {
  return access(join(dataDir, MARKER)).then(
    () => true,
    () => false,
  );
}

/** @param {string} dataDir */
export async function rememberExample(dataDir) {
  await writeFile(join(dataDir, MARKER), `${new Date().toISOString()}\n`);
}

/** @param {string} inputDir @throws {StackError} When it is no folder. */
export async function requireInputFolder(inputDir) {
  const found = await stat(inputDir).catch(() => null);
  if (!found?.isDirectory()) throw new StackError(`--input: ${inputDir} is no folder`);
}

/**
 * Runs the research example against the stack. Its progress is shown as it comes.
 * @param {{ root: string, dataDir: string, inputDir: string | undefined, signal: AbortSignal,
 *   record: import('./run-record.mjs').RunRecord }} example
 * @returns {Promise<ExampleResult>}
 */
export async function runExample({ root, dataDir, inputDir, signal, record }) {
  signal.throwIfAborted();
  const program = join(root, PROGRAM);
  await access(program).catch(() => {
    throw new StackError(`the example ${PROGRAM} is missing; build it, or use --no-example`);
  });
  const reports = join(dataDir, 'reports');
  await mkdir(reports, { recursive: true });
  const timestamp = new Date().toISOString().replace(/[:.]/g, '-');
  const report = join(reports, `research-${timestamp}.md`);
  const input = inputDir === undefined ? [] : ['--input', inputDir];
  const args = [program, '--connection', connectionPath(dataDir), '--report', report, ...input];
  let stdout = '';
  const child = await launch(
    { command: process.execPath, args, cwd: root, stopSignal: 'SIGTERM', stopMs: STOP_MS_MAX },
    {
      output: {
        stdout: (chunk) => (stdout = (stdout + chunk).slice(-STDOUT_CHARACTERS_MAX)),
        stderr: (chunk) => process.stderr.write(chunk),
      },
    },
  );
  await record.add('example', child.pid, 'SIGTERM');
  let tooLong = false;
  const limit = setTimeout(() => {
    tooLong = true;
    void child.stop();
  }, RUN_MS_MAX);
  const giveUp = () => void child.stop();
  signal.addEventListener('abort', giveUp, { once: true });
  const exit = await child.exited;
  await child.outputEnded;
  clearTimeout(limit);
  signal.removeEventListener('abort', giveUp);
  await record.remove('example');
  signal.throwIfAborted();
  if (tooLong) throw new StackError(`the example did not end within ${RUN_MS_MAX / 60_000} min`);
  if (exit.code !== 0) {
    throw new StackError(`the example failed with ${exit.signal ?? `status ${exit.code}`}`);
  }
  return parseResult(stdout);
}

/**
 * @param {string} stdout
 * @returns {ExampleResult} From the last line that is not empty.
 * @throws {StackError} When it is not the JSON that was agreed upon.
 */
export function parseResult(stdout) {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  try {
    const { report, tasks, agents, ms } = JSON.parse(line);
    const counts = [tasks, agents, ms];
    if (typeof report === 'string' && counts.every((count) => Number.isFinite(count))) {
      return { report, tasks, agents, ms };
    }
  } catch {
    // Told below, as for a line of another shape.
  }
  throw new StackError(`the example's last line is no result: ${line.slice(0, 200) || '(empty)'}`);
}
