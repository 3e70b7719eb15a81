import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const POLL_MS = 50;
const KILL_WAIT_MS = 5_000;

/**
 * Names one process for good: a pid alone is reused by the system sooner or later.
 * @typedef {{ pid: number, startedAt: string, command: string }} ProcessIdentity
 * `startedAt`: an opaque instant of the operating system; `command`: the whole command line.
 */

/**
 * @param {number} pid @returns {Promise<ProcessIdentity | null>} Null when there is none (or a
 * zombie).
 */
export async function identify(pid) {
  return process.platform === 'linux' ? identifyByProc(pid) : identifyByPs(pid);
}

/** @param {number} pid @returns {Promise<ProcessIdentity | null>} */
async function identifyByProc(pid) {
  try {
    const [stat, commandLine] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The second field is the name in brackets and may hold anything; fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, startedAt] = [fields[0], fields[19]];
    if (state === 'Z' || startedAt === undefined) return null;
    return { pid, startedAt, command: commandLine.split('\0').join(' ').trim() };
  } catch {
    return null;
  }
}

/** @param {number} pid @returns {Promise<ProcessIdentity | null>} */
async function identifyByPs(pid) {
  try {
    const { stdout } = await run('ps', ['-ww', '-o', 'lstart=,command=', '-p', String(pid)], {
      env: { ...process.env, LC_ALL: 'C' },
    });
    const match = /^(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(stdout.trim());
    return match?.[1] && match[2] ? { pid, startedAt: match[1], command: match[2] } : null;
  } catch {
    return null;
  }
}

/**
 * @param {ProcessIdentity} identity @returns {Promise<boolean>} Whether exactly it is still
 * running.
 */
export async function isRunning(identity) {
  const now = await identify(identity.pid);
  return now !== null && now.startedAt === identity.startedAt && now.command === identity.command;
}

/**
 * Asks the process to stop, waits, then insists. Touches nothing if the pid is somebody else's.
 * @param {ProcessIdentity} identity
 * @param {{ signal: NodeJS.Signals, graceMs: number }} how
 * @returns {Promise<'absent' | 'stopped' | 'killed'>}
 */
export async function endProcess(identity, { signal, graceMs }) {
  if (!(await isRunning(identity))) return 'absent';
  sendSignal(identity.pid, signal);
  if (await waitUntilGone(identity, graceMs)) return 'stopped';
  sendSignal(identity.pid, 'SIGKILL');
  if (await waitUntilGone(identity, KILL_WAIT_MS)) return 'killed';
  throw new Error(`process ${identity.pid} (${identity.command}) could not be ended`);
}

/** @param {ProcessIdentity} identity @param {number} waitMs */
async function waitUntilGone(identity, waitMs) {
  const until = Date.now() + waitMs;
  for (;;) {
    if (!(await isRunning(identity))) return true;
    if (Date.now() >= until) return false;
    await sleep(POLL_MS);
  }
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function sendSignal(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended between the look and the signal.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}
