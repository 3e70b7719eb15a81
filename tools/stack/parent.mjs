import { readFile } from 'node:fs/promises';
import { identify } from './process-identity.mjs';

const POLL_MS = 500;
const ANCESTORS_MAX = 4;

/**
 * Watches the npm that runs us, and the shell between. Were npm killed with -9, nobody would tell
 * us. Started without npm, we belong to nobody.
 * @param {{ onGone: () => void, env?: NodeJS.ProcessEnv, pollMs?: number }} options
 * @returns {Promise<() => void>} Ends the watch.
 */
export async function watchParent({ onGone, env = process.env, pollMs = POLL_MS }) {
  if (env['npm_lifecycle_event'] === undefined) return () => {};
  const ancestors = await ancestorsUpToNpm();
  const timer = setInterval(async () => {
    for (const { pid, startedAt } of ancestors) {
      // Not the command line: npm renames itself while it runs.
      if ((await identify(pid))?.startedAt === startedAt) continue;
      clearInterval(timer);
      onGone();
      return;
    }
  }, pollMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** @returns {Promise<import('./process-identity.mjs').ProcessIdentity[]>} Our parent first. */
async function ancestorsUpToNpm() {
  const ancestors = [];
  let pid = process.ppid;
  while (pid > 1 && ancestors.length < ANCESTORS_MAX) {
    const ancestor = await identify(pid);
    if (ancestor === null) break;
    ancestors.push(ancestor);
    if (isNpm(ancestor.command)) return ancestors;
    pid = await parentOf(pid);
  }
  // No npm found on the way: only the nearest is surely part of our start.
  return ancestors.slice(0, 1);
}

/** @param {string} command A command line: `npm start`, or `node /usr/bin/npm start`. */
export function isNpm(command) {
  const words = command.split(' ').slice(0, 2);
  return words.some((word) => /(^|\/)npm(-cli\.js)?$/.test(word));
}

/** @param {number} pid @returns {Promise<number>} 0 when it is not known. */
async function parentOf(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? 0);
}
