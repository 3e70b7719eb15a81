import { join } from 'node:path';
import { launch } from './child.mjs';
import { StackError } from './errors.mjs';
import { readJson } from './files.mjs';
import { npmCommand } from './npm.mjs';

const STILL_MS = 5_000;
const SHOWN_LINES_MAX = 40;
const STOP_MS_MAX = 5_000;

/**
 * @typedef {object} Work How a long step is run, shown and given up.
 * @property {string} root The checkout.
 * @property {(line: string) => void} report
 * @property {AbortSignal} signal
 */

/**
 * Whether what is installed differs from package-lock.json. npm keeps a list of its own of what it
 * put into node_modules, so no marker of ours is needed, and an install by hand counts.
 * @param {string} root
 * @returns {Promise<boolean>}
 */
export async function needsInstall(root) {
  const wanted = (await readJson(join(root, 'package-lock.json')))?.packages;
  if (wanted === undefined) {
    throw new StackError(`${join(root, 'package-lock.json')} is missing; check the clone`);
  }
  const installed = await readJson(join(root, 'node_modules', '.package-lock.json')).catch(
    () => null,
  );
  return installed === null || differs(wanted, installed.packages ?? {});
}

/**
 * @typedef {Record<string, { version?: string, integrity?: string, link?: boolean,
 *   resolved?: string, optional?: boolean }>} LockedPackages By path below the checkout.
 */

/** @param {LockedPackages} wanted @param {LockedPackages} installed @returns {boolean} */
export function differs(wanted, installed) {
  return Object.entries(wanted).some(([path, want]) => {
    if (!path.startsWith('node_modules/')) return false; // The checkout and its workspaces.
    const have = installed[path];
    if (have === undefined) return want.optional !== true; // Another platform's.
    return have.version !== want.version || have.integrity !== want.integrity;
  });
}

/**
 * Installs exactly what package-lock.json names, unless it is there already.
 * @param {Work} work
 */
export async function ensureInstalled(work) {
  if (!(await needsInstall(work.root))) return;
  work.report('installing dependencies (npm ci)');
  const npm = npmCommand();
  let output = '';
  const code = await runVisibly(work, {
    name: 'installing dependencies',
    command: npm.command,
    args: [...npm.args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'],
    env: npm.env,
    output: (chunk) => (output += chunk),
  });
  if (code === 0) return;
  const shown = output.trimEnd().split('\n').slice(0, SHOWN_LINES_MAX).join('\n');
  throw new StackError(
    `installing dependencies failed:\n${shown}\n` +
      'Check the network connection and the message above, then start again',
  );
}

/** @param {Work} work */
export async function build(work) {
  work.report('building');
  const code = await runVisibly(work, {
    name: 'building',
    command: process.execPath,
    args: [join(work.root, 'tools/build.mjs')],
    env: { ...process.env, NX_DAEMON: 'false' },
    output: (chunk) => process.stdout.write(chunk),
  });
  if (code !== 0) {
    throw new StackError('building failed; mend what the message above names, then start again');
  }
}

/**
 * @param {Work} work
 * @param {{ name: string, command: string, args: string[], env: NodeJS.ProcessEnv,
 *   output: (chunk: Buffer) => void }} step
 * @returns {Promise<number | null>} Its exit status.
 */
async function runVisibly({ root, report, signal }, { name, command, args, env, output }) {
  signal.throwIfAborted();
  const startedAt = Date.now();
  const child = await launch(
    { command, args, env, cwd: root, stopSignal: 'SIGTERM', stopMs: STOP_MS_MAX },
    { output },
  );
  const still = setInterval(() => {
    report(`still ${name} (${Math.round((Date.now() - startedAt) / 1000)} s)`);
  }, STILL_MS);
  const giveUp = () => void child.stop();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const { code } = await child.exited;
    await child.outputEnded;
    signal.throwIfAborted();
    return code;
  } finally {
    clearInterval(still);
    signal.removeEventListener('abort', giveUp);
  }
}
