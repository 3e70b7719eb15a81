import { once } from 'node:events';
import { reasonOf, StackError } from './errors.mjs';
import {
  exampleHasCompleted,
  rememberExample,
  requireInputFolder,
  runExample,
} from './example.mjs';
import { build, ensureInstalled } from './install.mjs';
import { parseOptions, USAGE } from './options.mjs';
import { watchParent } from './parent.mjs';
import { createProgress } from './progress.mjs';
import { RunRecord } from './run-record.mjs';
import { makeDataDir, planStack } from './stack.mjs';
import { listenForStop } from './stop-signals.mjs';

const INTERRUPTED_STATUS = 130;

/** @typedef {import('./options.mjs').StackOptions} StackOptions */
/** @typedef {import('./progress.mjs').createProgress} CreateProgress */
/**
 * @typedef {object} Run One run of the stack.
 * @property {string} root
 * @property {StackOptions} options
 * @property {ReturnType<CreateProgress>} progress
 * @property {AbortSignal} signal Aborted when somebody asked to stop.
 * @property {(force: () => void) => void} onForce Says how to stop by force from now on.
 * @property {RunRecord} record
 */

/**
 * @param {{ args: readonly string[], root: string }} start `root`: the checkout.
 * @returns {Promise<number>} The exit status.
 */
export async function main({ args, root }) {
  const env = process.env;
  // npm runs us in the checkout, but a relative path means the folder where the person is.
  const cwd = (env['npm_lifecycle_event'] === 'start' && env['INIT_CWD']) || process.cwd();
  const progress = createProgress();
  /** @type {() => void} */
  let force = () => process.exit(INTERRUPTED_STATUS);
  try {
    const options = parseOptions(args, { env, cwd, root });
    if (options === 'help') {
      process.stdout.write(`${USAGE}\n`);
      return 0;
    }
    const stop = listenForStop({ report: progress.report, onForce: () => force() });
    const endWatch = await watchParent({ onGone: () => stop.ask('npm has gone') });
    try {
      const onForce = (/** @type {() => void} */ next) => void (force = next);
      return await runStack({ root, options, progress, signal: stop.signal, onForce });
    } finally {
      endWatch();
      stop.close();
    }
  } catch (error) {
    process.stderr.write(`athena: ${explain(error)}\n`);
    return error instanceof StackError ? error.status : 1;
  }
}

/** @param {unknown} error @returns {string} An unexpected one shows where it came from. */
function explain(error) {
  if (error instanceof StackError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** @param {Omit<Run, 'record'>} run @returns {Promise<number>} The exit status. */
async function runStack(run) {
  const { root, options, progress, signal } = run;
  if (options.inputDir !== undefined) await requireInputFolder(options.inputDir);
  await makeDataDir(options.dataDir);
  const record = await RunRecord.claim(options.dataDir);
  try {
    await record.endLeftovers(progress.report);
    const work = { root, report: progress.report, signal };
    await ensureInstalled(work);
    await build(work);
    return await superviseStack({ ...run, record });
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.report('stopped before it was ready');
    return INTERRUPTED_STATUS;
  } finally {
    await record.release();
  }
}

/** @param {Run} run @returns {Promise<number>} The exit status. */
async function superviseStack({ root, options, progress, signal, onForce, record }) {
  const { dataDir, port, separate } = options;
  const { report, announce } = progress;
  const env = process.env;
  const stack = await planStack({ root, dataDir, port, separate, env, record, report, signal });
  const { supervisor } = stack;
  onForce(() => supervisor.killAll());
  const stopEarly = () => void supervisor.stop();
  signal.addEventListener('abort', stopEarly, { once: true });
  try {
    signal.throwIfAborted();
    await supervisor.start();
    await stack.publish();
    announce(`ready ${stack.gatewayUrl}`);
    const completed = await runExampleIfWanted({ root, options, progress, signal, record });
    if (options.once) return completed ? 0 : 1;
    if (!signal.aborted) await once(signal, 'abort');
    return 0;
  } finally {
    signal.removeEventListener('abort', stopEarly);
    report('stopping what runs');
    await supervisor.stop();
    report('stopped');
  }
}

/**
 * @param {Pick<Run, 'root' | 'options' | 'progress' | 'signal' | 'record'>} run
 * @returns {Promise<boolean>} Whether it completed; the stack of a run that keeps running outlives
 *   a failed example.
 */
async function runExampleIfWanted({ root, options, progress, signal, record }) {
  const { dataDir, inputDir } = options;
  const isFirst = !(await exampleHasCompleted(dataDir));
  const isWanted = options.once || inputDir !== undefined || isFirst;
  if (!options.example || !isWanted) return false;
  try {
    progress.report('running the example');
    const result = await runExample({ root, dataDir, inputDir, signal, record });
    await rememberExample(dataDir);
    const { report, tasks, agents, ms } = result;
    progress.announce(`example completed ${report} tasks=${tasks} agents=${agents} ms=${ms}`);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    if (options.once) throw error;
    process.stderr.write(`athena: the example did not complete: ${reasonOf(error)}\n`);
    return false;
  }
}
